package import Testing

/// The statements of the user guide that tests show to hold: `Tests/Conformance/requirements.json` says what each is.
///
/// `docs/conformance.md` is made from a run: which test of which requirement passed.
extension Tag {
    @Tag package static var s1: Self
    @Tag package static var s2: Self
    @Tag package static var s4: Self
    @Tag package static var s7: Self
    @Tag package static var s8: Self
    @Tag package static var s9: Self
    @Tag package static var s10: Self
    @Tag package static var s11: Self
    @Tag package static var s12: Self
    @Tag package static var s13: Self
    @Tag package static var s14: Self
    @Tag package static var s15: Self
    @Tag package static var s16: Self
    @Tag package static var s17: Self
    @Tag package static var s18: Self
    @Tag package static var s19: Self
    @Tag package static var s20: Self
    @Tag package static var s21: Self
    @Tag package static var s22: Self
    @Tag package static var s23: Self
    @Tag package static var s24: Self
    @Tag package static var s25: Self
    @Tag package static var s26: Self
    @Tag package static var s27: Self
    @Tag package static var s28: Self
    @Tag package static var s29: Self
    @Tag package static var s30: Self
    @Tag package static var s31: Self
    @Tag package static var s32: Self
    @Tag package static var s33a: Self
    @Tag package static var s33b: Self
    @Tag package static var s33c: Self
    @Tag package static var s33d: Self
    @Tag package static var s33e: Self
    @Tag package static var s33f: Self
    @Tag package static var s33g: Self
    @Tag package static var s34: Self
    @Tag package static var s35: Self
    @Tag package static var s36: Self
}
