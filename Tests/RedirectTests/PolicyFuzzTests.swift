import TestSupport
import Testing

@testable import Redirect

/// Damaged values never trap, and what is accepted is what may reach a rule.
@Suite(.timeLimit(.minutes(20))) struct PolicyFuzzTests {
    static let words = [
        "*", ",", "/", ":", "::", "%eth0", "15020", "65535", "65536", "10.0.0.0/8", "::ffff:", "eth0", "TPROXY", "NONE",
        "4294967295", "127.0.0.1/8", "\u{A0}", "-j ACCEPT", "true", "java",
    ]
    static let values = [
        "REDIRECT", "TPROXY", "*", "", "10.0.0.0/8,fd00::/8", "127.0.0.1/32,0.0.0.0/0", "80,443,15020", " 8080 , 9090 ",
        "eth0,net1", "veth-a.b", "1337", "java,202", "true", "0", "::ffff:10.0.0.1/104", "1:2:3:4:5:6:7:8/128",
    ]

    @Test func `a pod's annotations are read or refused`() {
        var inputs = Mutations(of: Self.values.map { Array($0.utf8) }, words: Self.words, seed: 11)
        var generator = SeededGenerator(seed: 12)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let value = String(decoding: inputs.next(), as: UTF8.self)
            let annotation = Annotation.allCases.randomElement(using: &generator) ?? .status
            let pod = Pod.injected(annotations: [annotation.name: value], environment: ["INVALID_DROP": value])
            do throws(PlanError) {
                let decision = try Decision(pod: pod, addresses: ["10.0.0.1"], backend: .iptables)
                if case .redirect(let plan, _) = decision { Self.expectSafe(plan, value) }
                accepted += 1
            } catch {
                #expect(Self.isNamed(error, annotation.name), "\(value.debugDescription): \(error)")
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `flags and resolv.conf are read or refused`() {
        var inputs = Mutations(
            of: (Self.values + ["nameserver 10.0.0.10\nnameserver fd00::a\nsearch x\n"]).map { Array($0.utf8) },
            words: Self.words + ["nameserver "],
            seed: 13
        )
        var generator = SeededGenerator(seed: 14)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let value = String(decoding: inputs.next(), as: UTF8.self)
            let flag = RedirectFlag.allCases.randomElement(using: &generator) ?? .mark
            // Half of the values come as variables: a flag that is not typed is read from there.
            let variable = Bool.random(using: &generator) ? flag.variables.last : nil
            var arguments = [RedirectFlag.redirectDNS: "true"]
            var environment: [String: String] = [:]
            if let variable { environment[variable] = value } else { arguments[flag] = value }
            do throws(PlanError) {
                let plan = try RedirectFlagTests.plan(
                    arguments,
                    environment: environment,
                    resolverConfiguration: value
                ).plan
                Self.expectSafe(plan, value)
                accepted += 1
            } catch {
                #expect(Self.isNamed(error, flag.name), "\(value.debugDescription): \(error)")
            }
        }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `an address that is read has a form that reads back`() {
        let good = ["10.0.0.5", "fd00::5", "::ffff:10.0.0.5", "1:2:3:4:5:6:7:8", "2001:db8::1:0:0:1", "::"]
        var inputs = Mutations(of: good.map { Array($0.utf8) }, words: Self.words, seed: 15)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let text = String(decoding: inputs.next(), as: UTF8.self)
            guard let address = IPAddress(text) else { continue }
            #expect(IPAddress(address.description) == address, "\(text)")
            accepted += 1
        }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    /// What a plan must hold to, whatever was written: `iptables-restore` reads its names as words of a rule.
    private static func expectSafe(_ plan: RedirectPlan, _ value: String) {
        let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-".unicodeScalars)
        let names = plan.excludedInterfaces + plan.virtualInterfaces
        let areSafe = names.allSatisfy { name in
            (1...15).contains(name.utf8.count) && name.unicodeScalars.allSatisfy(letters.contains)
                && !name.hasPrefix("-")
        }
        #expect(areSafe, "\(value.debugDescription)")
        #expect(!plan.proxyUsers.isEmpty && !plan.proxyGroups.isEmpty)
        #expect(AddressRange("127.0.0.0/8")?.contains(plan.loopbackRange.address) == true)
    }

    private static func isNamed(_ error: PlanError, _ name: String) -> Bool {
        switch error {
        case .annotation(let error): error.annotation.name == name
        case .flag(let error): error.flag.name == name
        case .resolverConfigurationTooLong: true
        case .resolverConfigurationUnreadable, .address, .noAddress: false
        }
    }
}
