"""What the pages say, worked out from the same bodies as the API's answers. No Flask, no I/O.

Each module has its twin among the page's own (api/static), which takes over where there is JavaScript, and writes in
the reader's language and time. These write in English and UTC: what is kept is the same for all.
"""
