package fleet

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// Host is what a daemon says about itself.
type Host struct {
	Name    string        `json:"name"`
	Version string        `json:"version"` // of milterscan
	Layout  int           `json:"layout"`  // of the tables, that it knows
	Config  string        `json:"config"`  // a hash of the settings and rules in force
	Started time.Time     `json:"started"`
	Ago     time.Duration `json:"ago_ns"`   // how long ago it last spoke, by the clock of the database
	Drift   time.Duration `json:"drift_ns"` // how far its clock is ahead of that of the database
	// Facts are what hosts of one fleet have alike: fingerprints of keys, and the times of signatures.
	Facts map[string]string `json:"facts"`
	// Behind counts what a host has to itself and has yet to write into the database, by what it is.
	Behind map[string]int64 `json:"behind,omitempty"`
}

// KeptMessages are counted in Behind.
const KeptMessages = "kept messages"

// Signatures begins the names of facts about the signatures of engines: when they were made, or NoAnswer.
const Signatures = "signatures of "

// NoAnswer is the fact about signatures of an engine that does not answer.
const NoAnswer = "no answer"

// hostsTime is how long a host is remembered after it last spoke.
const hostsTime = "7 days"

// Announce says how this host is. Its clock is compared with that of the database. Hosts that have long said nothing are
// forgotten.
func (s *State) Announce(ctx context.Context, h Host) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	facts, err := json.Marshal(h.Facts)
	if err != nil {
		return err
	}
	if h.Behind == nil {
		h.Behind = map[string]int64{}
	}
	behind, err := json.Marshal(h.Behind)
	if err != nil {
		return err
	}
	p, err := s.open()
	if err != nil {
		return s.named(err)
	}
	ahead, _, err := drift(ctx, p.watch)
	if err == nil {
		_, err = p.watch.ExecContext(ctx, `
			WITH gone AS (DELETE FROM host WHERE seen < clock_timestamp() - interval '`+hostsTime+`' AND name <> $1)
			INSERT INTO host (name, started, seen, drift_ms, version, layout, config, facts, behind)
			VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7::text::jsonb, $8::text::jsonb)
			ON CONFLICT (name) DO UPDATE SET started = excluded.started, seen = excluded.seen,
				drift_ms = excluded.drift_ms, version = excluded.version,
				layout = excluded.layout, config = excluded.config, facts = excluded.facts, behind = excluded.behind`,
			h.Name, h.Started, ahead.Milliseconds(), h.Version, int64(Known()), h.Config, string(facts), string(behind))
	}
	return s.named(s.missed(err))
}

// mostOfHosts is how many hosts are listed, those that spoke last.
const mostOfHosts = 1000

// Hosts returns what the hosts last said, by name.
func (s *State) Hosts(ctx context.Context) (list []Host, err error) {
	err = s.Read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT * FROM (SELECT name, version, layout, config, started,
			(extract(epoch FROM clock_timestamp() - seen) * 1000)::bigint, drift_ms, facts::text, behind::text
			FROM host ORDER BY seen DESC LIMIT $1) AS last ORDER BY name`, int64(mostOfHosts))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			h, err := scanHost(rows)
			if err != nil {
				return err
			}
			list = append(list, h)
		}
		return rows.Err()
	})
	return list, err
}

func scanHost(rows *sql.Rows) (h Host, err error) {
	var ago, ahead int64
	var facts, behind string
	if err = rows.Scan(&h.Name, &h.Version, &h.Layout, &h.Config, &h.Started, &ago, &ahead, &facts, &behind); err != nil {
		return h, err
	}
	h.Ago, h.Drift = time.Duration(ago)*time.Millisecond, time.Duration(ahead)*time.Millisecond
	return h, errors.Join(json.Unmarshal([]byte(facts), &h.Facts), json.Unmarshal([]byte(behind), &h.Behind))
}
