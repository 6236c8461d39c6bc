"""What to say to phones, and how to get it there. Knows the domain, no Flask, no RQ, no Redis, no SQL.

Read `news` (facts → what is worth telling), `message` (news → words), `payload` (words → bytes), then `transport`: one
interface with `apns`, `fcm`, `webpush` and `null` behind it, and `outcome`, the values they answer with. `sender` is
the one loop that moves HTTP/2 requests. `emulators` stand in for Apple and Google.
"""
