// Not compiled here. Receives the data messages of a device registered with "payload": "data".
package example.scores

import android.app.NotificationChannel
import android.app.NotificationManager
import android.content.Context
import androidx.core.app.NotificationCompat
import androidx.core.app.NotificationManagerCompat
import com.google.firebase.messaging.FirebaseMessagingService
import com.google.firebase.messaging.RemoteMessage
import org.json.JSONObject

/** The ids that the server sends as `channel`; a user can silence each by itself. */
private val CHANNELS = mapOf(
    "goals" to NotificationManager.IMPORTANCE_HIGH,
    "cards" to NotificationManager.IMPORTANCE_HIGH,
    "penalties" to NotificationManager.IMPORTANCE_HIGH,
    "checks" to NotificationManager.IMPORTANCE_DEFAULT,
    "results" to NotificationManager.IMPORTANCE_DEFAULT,
    "match" to NotificationManager.IMPORTANCE_DEFAULT,
    "reminders" to NotificationManager.IMPORTANCE_DEFAULT,
    "news" to NotificationManager.IMPORTANCE_DEFAULT,
    "silent" to NotificationManager.IMPORTANCE_LOW,
    "live" to NotificationManager.IMPORTANCE_LOW,
)

class MatchMessagingService : FirebaseMessagingService() {
    override fun onCreate() {
        super.onCreate()
        val manager = getSystemService(NotificationManager::class.java)
        CHANNELS.forEach { (id, importance) -> manager.createNotificationChannel(NotificationChannel(id, id, importance)) }
    }

    override fun onMessageReceived(message: RemoteMessage) {
        val data = message.data
        when (data["type"]) {
            "alert" -> showAlert(data)
            "live_update" -> showLiveUpdate(data)
        }
    }

    /** A message that comes after a newer one of the same fact, such as a goal after its cancellation, is left out. */
    private fun isNewer(key: String, version: Long): Boolean {
        val versions = getSharedPreferences("versions", Context.MODE_PRIVATE)
        if (version < versions.getLong(key, 0)) return false
        versions.edit().putLong(key, version).apply()
        return true
    }

    private fun showAlert(data: Map<String, String>) {
        if (System.currentTimeMillis() / 1000 > data.getValue("expires_at").toLong()) return
        val fact = data.getValue("fact")
        if (!isNewer("fact $fact", data.getValue("version").toLong())) return
        val notification = NotificationCompat.Builder(this, data.getValue("channel"))
            .setSmallIcon(R.drawable.ball)
            .setContentTitle(data["title"])
            .setContentText(data["body"]?.lineSequence()?.firstOrNull())
            .setStyle(NotificationCompat.BigTextStyle().bigText(data["body"]))
            .setGroup(data["match_id"])
            .setWhen(data.getValue("at").toLong())
            .setSilent(data["silent"] == "true")
            .addAction(0, getString(R.string.open), openIntent(this, data.getValue("link")))
            .addAction(0, getString(R.string.mute), muteIntent(this, data.getValue("match_id")))
            .setAutoCancel(true)
            .build()
        NotificationManagerCompat.from(this).notify(fact, 0, notification)
    }

    /** Android 16, Live Updates: an ongoing notification that is promoted, with the score as its chip. */
    private fun showLiveUpdate(data: Map<String, String>) {
        val match = data.getValue("match_id")
        if (!isNewer("live $match", data.getValue("version").toLong())) return
        val manager = NotificationManagerCompat.from(this)
        if (data["over"] == "true") return manager.cancel("live $match", 1)
        val state = JSONObject(data.getValue("state"))
        val teams = JSONObject(data.getValue("attributes"))
        val score = "${state.opt("home_score")}–${state.opt("away_score")}"
        val notification = NotificationCompat.Builder(this, "live")
            .setSmallIcon(R.drawable.ball)
            .setContentTitle("${teams.getString("home_team")} $score ${teams.getString("away_team")}")
            .setContentText(state.opt("minute")?.let { "$it'" } ?: "")
            .setOngoing(true)
            .setRequestPromotedOngoing(true)
            .setShortCriticalText(score)
            .build()
        manager.notify("live $match", 1, notification)
    }
}
