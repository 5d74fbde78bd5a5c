// The source of a library that has none.
