"""How a message reaches a phone: APNs, FCM and Web Push behind one interface, and one loop that sends."""
