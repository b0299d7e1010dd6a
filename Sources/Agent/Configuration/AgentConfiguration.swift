package import Logging

/// How the agent of a node is to behave: flags and environment, once they have been read.
package struct AgentConfiguration: Equatable, Sendable {
    package var podSource: PodSource
    package var node: Node
    package var redirection: Redirection
    package var install: Install
    package var repair: Repair
    package var server: Server
    package var ports: Ports
    package var log: Log
    package var ambient: Ambient

    /// What was set and changes nothing.
    package var idle: Idle

    package enum PodSource: Equatable, Sendable {
        case server
        case directory(String)

        /// Reads `api` or `directory:PATH`.
        package init?(_ text: String) {
            let prefix = "directory:"
            if text == "api" {
                self = .server
            } else if text.hasPrefix(prefix), text.utf8.count > prefix.utf8.count {
                self = .directory(String(text.dropFirst(prefix.utf8.count)))
            } else {
                return nil
            }
        }
    }

    package struct Node: Equatable, Sendable {
        /// Where the sockets are.
        package var runDirectory: String

        /// Empty where nobody said it, which only a directory as the source of pods allows.
        package var name: String

        /// The agent's own pod; empty where nobody said it.
        package var podName: String
        package var podNamespace: String
        package var excludedNamespaces: [String]
    }

    package struct Redirection: Equatable, Sendable {
        package var backend: BackendSetting

        /// What goes into the plugin's entry, and refuses a kernel that cannot.
        package var isNativeNFTables: Bool

        /// What goes into the plugin's entry.
        package var waitSeconds: Int
    }

    package struct Install: Equatable, Sendable {
        package var isSkipped: Bool

        /// Nil: the first valid file.
        package var primaryName: String?
        package var isChained: Bool

        /// The file beside the primary's; nil: the primary's own file is edited.
        package var ownedFileName: String?
        package var configurationDirectory: String
        package var programDirectory: String
        package var programSource: String
        package var isGroupReadable: Bool
    }

    package struct Repair: Equatable, Sendable {
        package var mode: Mode
        package var brokenLabelKey: String
        package var brokenLabelValue: String

        /// Nil: every pod.
        package var sidecarAnnotation: String?

        /// Nil: any.
        package var validationName: String?
        package var validationMessage: String?
        package var validationExitCode: Int?
        package var labels: LabelSelector
        package var fields: FieldSelector
        package var processDirectory: String

        /// The first that is switched on, in the order repair, delete, label.
        package enum Mode: String, CaseIterable, Sendable {
            case off
            case repair
            case delete
            case label
        }
    }

    /// The API server; host and port are empty where pods come from a directory and nobody said them.
    package struct Server: Equatable, Sendable {
        package var host: String
        package var port: Int
        package var isEncrypted: Bool
        package var serviceAccountDirectory: String
    }

    /// Nil: not served.
    package struct Ports: Equatable, Sendable {
        package var health: Int?
        package var monitoring: Int?
    }

    package struct Log: Equatable, Sendable {
        package var levels: LogLevels
        package var format: LineLogHandler.Format

        /// Where the settings about the log cannot be read either.
        package static let ofRefusal = Log(levels: LogLevels(), format: .text)
    }

    package struct Ambient: Equatable, Sendable {
        package var isEnabled: Bool
        package var retriesDetection: Bool
    }

    /// Names of settings without an effect, as they were given.
    package struct Idle: Equatable, Sendable {
        /// Those of upstream's that mean nothing here.
        package var known: [String] = []
        package var unknown: [String] = []

        /// Names all of them, once.
        package func log(to logger: Logger) {
            if !known.isEmpty {
                logger.info(
                    "settings without effect; docs/configuration.md says why",
                    metadata: ["settings": "\(known.joined(separator: ", "))"]
                )
            }
            if !unknown.isEmpty {
                logger.warning(
                    "settings that this agent does not know, and ignores",
                    metadata: ["settings": "\(unknown.joined(separator: ", "))"]
                )
            }
        }
    }

    /// Settings that cannot be followed, all of them.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let problems: [String]
        package var description: String { problems.joined(separator: "; ") }
    }
}
