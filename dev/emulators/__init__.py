"""Apple and Google on this machine: APNs and FCM v1 over TLS and HTTP/2, strict about the rules of the real ones.

`python -m dev.emulators --var DIR` starts both, creates the keys they accept and prints the settings that point at
them. `wire` holds the connections and their faults, `apns` and `fcm` the rules, `journal` what was accepted (on disk),
`phone` what its user sees. Never deployed.
"""
