package scan

import (
	"context"
	"runtime"
	"testing"
)

func TestMessagesAreForgotten(t *testing.T) {
	var k Memo[int]
	for range 10 {
		k.Of(t.Context(), new(Message), func(context.Context, *Message) (int, error) { return 1, nil })
	}
	for range 100 {
		runtime.GC()
		k.mu.Lock()
		n := len(k.known)
		k.mu.Unlock()
		if n == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Error("messages are kept though nobody uses them")
}
