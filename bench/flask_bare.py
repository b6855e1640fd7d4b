"""The yardstick: Flask answering ready bytes, on the same server with the same threads."""

from flask import Flask, Response

app = Flask(__name__)
USER = b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"' + b"x" * 1400 + b'"}'


@app.get("/scim/v2/Users/<user_id>")
def get_user(user_id: str) -> Response:  # noqa: ARG001 - the route names it, as the real one does
    """Always the same document of about 1.5 KB."""
    return Response(USER, content_type="application/scim+json")
