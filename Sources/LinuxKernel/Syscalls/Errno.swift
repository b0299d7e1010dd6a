internal import CLinuxKernel

/// The reason that the kernel gives for refusing a call (`errno(3)`).
package struct Errno: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: CInt

    package init(rawValue: CInt) { self.rawValue = rawValue }

    /// `EPERM`: the caller may not do this; for a table, another process owns it.
    package static let notPermitted = Errno(rawValue: EPERM)

    /// `ENOENT`: there is no such file, table or chain.
    package static let noSuchEntry = Errno(rawValue: ENOENT)

    /// `ESRCH`: there is no such process or route.
    package static let noSuchProcess = Errno(rawValue: ESRCH)

    /// `EINTR`: a signal came first.
    package static let interrupted = Errno(rawValue: EINTR)

    /// `E2BIG`: more than the limit that the operation names.
    package static let tooBig = Errno(rawValue: E2BIG)

    /// `EAGAIN`: not now; for a Unix socket, the listener's queue is full.
    package static let wouldBlock = Errno(rawValue: EAGAIN)

    /// `EACCES`: the file's mode forbids this.
    package static let accessDenied = Errno(rawValue: EACCES)

    /// `EEXIST`: there is one already.
    package static let alreadyExists = Errno(rawValue: EEXIST)

    /// `EMFILE`: the process, or its user, has as many as it may have.
    package static let tooManyOpenFiles = Errno(rawValue: EMFILE)

    /// `EINVAL`: the kernel does not understand the request.
    package static let invalidArgument = Errno(rawValue: EINVAL)

    /// `ENAMETOOLONG`: the path does not fit.
    package static let nameTooLong = Errno(rawValue: ENAMETOOLONG)

    /// `EPIPE`: nobody reads any more.
    package static let brokenPipe = Errno(rawValue: EPIPE)

    /// `ENOSPC`: the file system is full.
    package static let noSpace = Errno(rawValue: ENOSPC)

    /// `EROFS`: the file system cannot be written to.
    package static let readOnlyFileSystem = Errno(rawValue: EROFS)

    /// `ELOOP`: a link stands where none is followed.
    package static let tooManyLinks = Errno(rawValue: ELOOP)

    /// `EBADMSG`: an answer, even one of the kernel's own, could not be read.
    package static let badMessage = Errno(rawValue: EBADMSG)

    /// `EMSGSIZE`: more than one message can hold.
    package static let messageTooLong = Errno(rawValue: EMSGSIZE)

    /// `EOPNOTSUPP`: this kernel lacks the feature.
    package static let notSupported = Errno(rawValue: EOPNOTSUPP)

    /// `EADDRNOTAVAIL`: no interface has this address.
    package static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)

    /// `ECONNRESET`: the peer ended the connection.
    package static let connectionReset = Errno(rawValue: ECONNRESET)

    /// `ECONNABORTED`: the peer ended the connection before it was taken.
    package static let connectionAborted = Errno(rawValue: ECONNABORTED)

    /// `EINPROGRESS`: the connection is being made.
    package static let inProgress = Errno(rawValue: EINPROGRESS)

    /// `ENOBUFS`: the kernel had to drop a reply.
    package static let noBufferSpace = Errno(rawValue: ENOBUFS)

    /// `ETIMEDOUT`: the deadline passed.
    package static let timedOut = Errno(rawValue: ETIMEDOUT)

    /// `ECONNREFUSED`: nobody listens.
    package static let connectionRefused = Errno(rawValue: ECONNREFUSED)

    package var description: String { String(cString: strerror(rawValue)) }
}
