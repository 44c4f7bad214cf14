package cli

import "fmt"

// Limited refuses a limit below nothing.
func Limited(n int) error {
	if n < 0 {
		return fmt.Errorf("--limit %d is less than nothing", n)
	}
	return nil
}

// Cut returns the first of a list, and says on standard error if there are more.
func Cut[T any](std Streams, list []T, limit int) []T {
	if limit == 0 || len(list) <= limit {
		return list
	}
	fmt.Fprintf(std.Err, "note: only the newest %d are listed, there are more; --limit 0 lists all\n", limit)
	return list[:limit]
}
