import Foundation

@main struct LinksFoundation {
    static func main() {
        print(Date.now)
    }
}
