import Testing

/// The whole agent as a process, with an API server that lives in the test's own process: one test after the other,
/// since a flood of one would make the server late for another, and lateness is what some of them are about.
@Suite(.serialized, .timeLimit(.minutes(5))) enum AgentProcessTests {}
