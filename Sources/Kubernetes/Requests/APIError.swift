/// A request to the API server that came to nothing.
package struct APIError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was asked: `GET /api/v1/namespaces/shop/pods/cart`.
    package let request: String
    package let problem: Problem

    package enum Problem: Equatable, Sendable {
        /// The server answered, and not with what was asked for.
        case status(APIStatus)

        /// No connection, or it was cut.
        case unreachable(String)

        case timedOut(after: Duration)

        /// A watch that had begun brought nothing any more, not even a bookmark.
        case fellSilent(after: Duration)

        /// What came is not what an API server sends, or is over a limit.
        case unreadable(String)

        /// Settings, token or certificate of the API server are missing or broken.
        case unconfigured(ConfigurationError)

        /// The caller was cancelled.
        case cancelled
    }

    package init(_ request: String, _ problem: Problem) {
        self.request = request
        self.problem = problem
    }

    /// What the server said, where it said something.
    package var status: APIStatus? {
        if case .status(let status) = problem { status } else { nil }
    }

    package var description: String {
        switch problem {
        case .status(let status): "\(request): the API server answered \(status.description)\(advice(status))"
        case .unreachable(let reason): "\(request): the API server cannot be reached: \(reason)"
        case .timedOut(let limit): "\(request): the API server did not answer within \(limit)"
        case .fellSilent(let limit): "\(request): the API server has sent nothing for \(limit), not even a bookmark"
        case .unreadable(let reason): "\(request): the answer cannot be read: \(reason)"
        case .unconfigured(let error): "\(request): \(error.description)"
        case .cancelled: "\(request): given up, since the agent ends"
        }
    }

    private func advice(_ status: APIStatus) -> String {
        switch status.code {
        case 401: "; the service account's token is not accepted"
        case 403: "; grant it to the agent's service account (ClusterRole istio-cni)"
        default: ""
        }
    }
}

extension Interruption {
    package init(_ error: APIError) {
        switch error.problem {
        case .status(let status): self.init(status)
        case .unreachable, .cancelled: self = .disconnected
        case .timedOut, .fellSilent: self = .silent
        case .unreadable: self = .unreadable
        case .unconfigured: self = .unconfigured
        }
    }

    package init(_ status: APIStatus) {
        switch status.code {
        case _ where status.isExpired: self = .expired
        case 429: self = .throttled
        case 401, 403: self = .forbidden
        default: self = .failed
        }
    }
}
