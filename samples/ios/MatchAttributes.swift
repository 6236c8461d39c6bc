// Not compiled here. A Live Activity as the server starts and updates it, and the category of its alerts.
import ActivityKit
import UserNotifications

/// `attributes-type` of a start. Decoded by a JSONDecoder without settings, so names are those of the payload.
struct MatchAttributes: ActivityAttributes {
    struct ContentState: Codable, Hashable {
        struct Kicks: Codable, Hashable {
            let home: Int
            let away: Int
        }

        struct Entry: Codable, Hashable {
            let team: String?
            let player: String?
            let minute: Int?
            let added_minute: Int?
            let event_type: String
        }

        let version: Int
        let status: String
        let home_score: Int?
        let away_score: Int?
        let shootout: Kicks?
        let minute: Int?
        let added_minute: Int?
        /// Seconds since 1970: when `minute` began. `Text(timerInterval:)` counts on from here.
        let minute_at: Int?
        let scorers: [Entry]?
        let cards: [Entry]?
    }

    let match_id: String
    let home_team: String
    let away_team: String
    let competition: String?
    let start_time: Int?
}

/// The push-to-start token goes to `PUT /api/me/devices/ios/{token}` as `live_activity_token` (iOS 18 and later).
@available(iOS 18.0, *)
func sendPushToStartTokens(register: @escaping (String) async throws -> Void) async throws {
    for await token in Activity<MatchAttributes>.pushToStartTokenUpdates {
        try await register(token.map { String(format: "%02x", $0) }.joined())
    }
}

/// Alerts bear the category `match`.
func registerCategory() {
    let open = UNNotificationAction(identifier: "open", title: String(localized: "Open"), options: [.foreground])
    let mute = UNNotificationAction(identifier: "mute", title: String(localized: "Mute this match"), options: [])
    let match = UNNotificationCategory(identifier: "match", actions: [open, mute], intentIdentifiers: [])
    UNUserNotificationCenter.current().setNotificationCategories([match])
}

/// `mutable-content` wakes this extension: an alert that comes after a newer one of its match is shown without a sound.
final class NotificationService: UNNotificationServiceExtension {
    override func didReceive(
        _ request: UNNotificationRequest, withContentHandler deliver: @escaping (UNNotificationContent) -> Void
    ) {
        let content = request.content.mutableCopy() as! UNMutableNotificationContent
        let store = UserDefaults(suiteName: "group.example.scores")!
        let match = content.userInfo["match_id"] as? String ?? ""
        let version = content.userInfo["version"] as? Int ?? 0
        if version < store.integer(forKey: match) {
            content.sound = nil
            content.interruptionLevel = .passive
        } else {
            store.set(version, forKey: match)
        }
        deliver(content)
    }
}
