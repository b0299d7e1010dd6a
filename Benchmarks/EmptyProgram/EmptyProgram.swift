/// The floor of every measurement: a static Swift program that does nothing.
@main
enum EmptyProgram {
    static func main() {}
}
