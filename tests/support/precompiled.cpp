// The precompiled headers of the tests want a target of their own, and that wants a source.
