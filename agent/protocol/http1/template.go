package http1

// Template returns path.
func Template(path string) string { return path }
