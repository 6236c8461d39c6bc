"""What to say to phones, and how to get it there. Knows the domain, no Flask, no RQ, no Redis, no SQL.

Read `content`: `news` (facts → what is worth telling), `window` (when), `message` with `wording` (news → words, by
`translations`) and `payload` (words → bytes). Then `transports`: `base`, the one interface, with `apns`, `fcm`,
`webpush` and `null` behind it; `outcome`, the values they answer with; `sender` and `dispatch`, the one loop, over
`hosts` with a connection of `curl` each. `dev.emulators` stand in for Apple, Google and the browsers' services.
"""
