"""The views, one file a resource. They parse, call and render; a view imports no other view."""
