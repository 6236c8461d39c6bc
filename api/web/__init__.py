"""What the views share: errors, authentication, schemas, responses, the OpenAPI document, the page's assets."""
