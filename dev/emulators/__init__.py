"""Push services on this machine: APNs, FCM v1 and Web Push over TLS and HTTP/2, as strict as the real ones.

`python -m dev.emulators --var DIR` starts them, creates the keys they accept and prints the settings that point at
them. `wire` holds the connections and their faults, `apns`, `fcm` and `webpush` the rules, `journal` what was accepted
(on disk), `phone` what its user sees. Never deployed.
"""
