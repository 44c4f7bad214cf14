package tables

import (
	"database/sql"
	"slices"
	"testing"
	"time"
)

func TestTranslate(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT 1`:                              `SELECT 1`,
		`SELECT a FROM t WHERE b = ? AND c = ?`: `SELECT a FROM t WHERE b = $1 AND c = $2`,
		`UPDATE t SET a = max(a, ?2) WHERE b = ?1 AND c = ?2`: `UPDATE t SET a = greatest(a, $2) WHERE b = $1 AND c = $2`,
		`WHERE a > ?1 AND b > ?12 LIMIT ?`:                    `WHERE a > $1 AND b > $12 LIMIT $13`,
		`WHERE a = '?' AND instr(b, ?) > 0 AND c <> 'max('`:   `WHERE a = '?' AND strpos(b, $1) > 0 AND c <> 'max('`,
		`WHERE a = 'it''s ?' AND b = ?`:                       `WHERE a = 'it''s ?' AND b = $1`,
		`WHERE a IN (?, ?)?`:                                  `WHERE a IN ($1, $2)$3`,
	} {
		if got := translate(query); got != want {
			t.Errorf("%s:\n%s; want\n%s", query, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	type word string
	got, err := values([]any{true, false, 7, int64(8), word("a"), "b\x00c\xff", []byte{1}, nil, sql.NullFloat64{Float64: 1.5, Valid: true}, sql.NullFloat64{}})
	want := []any{int64(1), int64(0), int64(7), int64(8), "a", "b\ufffdc\ufffd", []byte{1}, nil, 1.5, nil}
	if err != nil || !slices.EqualFunc(got, want, func(a, b any) bool {
		x, one := a.([]byte)
		y, two := b.([]byte)
		return one && two && slices.Equal(x, y) || !one && !two && a == b
	}) {
		t.Errorf("%#v, %v", got, err)
	}
	if _, err := values([]any{time.Hour, struct{}{}}); err == nil {
		t.Error("what is no value is taken")
	}
}
