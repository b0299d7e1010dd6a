"""What happened to every test of a run, read from Swift Testing's event stream."""
import json
import re


class Run:
    """One run of the test binary; `FILE.status` beside the stream holds the exit status."""

    def __init__(self, path):
        self.suites, self.started, self.ended, self.failed, self.skipped = set(), set(), set(), set(), {}
        self.functions, self.tags = {}, {}
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                payload = record["payload"]
                if record["kind"] == "test":
                    self.define(payload)
                else:
                    self.note(payload)
        with open(path + ".status", encoding="utf-8") as status:
            self.status = int(status.read())
        self.started &= self.functions.keys()
        self.ended &= self.functions.keys()
        self.skipped = {test: reason for test, reason in self.skipped.items() if test in self.functions}
        self.passed = self.ended - self.failed
        self.unfinished = self.started - self.ended
        self.suites = {suite_of(test) for test in self.started}

    def define(self, test):
        if test["kind"] != "function":
            return
        self.functions[test["id"]] = test.get("displayName", test["name"])
        # The field is experimental in Swift 6.3: SWT_EXPERIMENTAL_EVENT_STREAM_FIELDS_ENABLED.
        self.tags[test["id"]] = {tag.removeprefix(".") for tag in test.get("_tags", [])}

    def note(self, event):
        kind, test = event["kind"], event.get("testID")
        if kind == "testStarted":
            self.started.add(test)
        elif kind == "testEnded":
            self.ended.add(test)
        elif kind == "testSkipped":
            self.skipped[test] = reason_of(event)
        elif kind == "issueRecorded":
            issue = event.get("issue", {})
            if not issue.get("isKnown") and issue.get("severity", "error") == "error":
                self.failed.add(test)


def suite_of(test):
    return test.split("/")[0]


def reason_of(event):
    text = " ".join(message["text"] for message in event.get("messages", []))
    match = re.search(r'skipped: "?(.*?)"?$', text, re.DOTALL)
    return match.group(1) if match else "no reason given"
