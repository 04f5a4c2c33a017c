"""The Predict page's parts: pictures of one's own, the answer, and its reasons."""
