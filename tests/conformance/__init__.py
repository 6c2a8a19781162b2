"""Which clause of which standard is proven by which test: the source of `docs/conformance.md`."""
