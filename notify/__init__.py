"""What to say to phones, and how to get it there. Knows the domain, no Flask, no RQ, no Redis, no SQL.

Read `news` (facts → what is worth telling), `window` (when), `message` with `voice` (news → words, by `phrases`) and
`payload` (words → bytes). Then `transport`: one interface, with `apns`, `fcm`, `webpush` and `null` behind it, and
`outcome`, the values they answer with. `sender` is the one loop, over `lane`s of two sorts: `http2` with `frames`, and
`curl`. `emulators` stand in for Apple and Google.
"""
