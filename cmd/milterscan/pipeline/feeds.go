package pipeline

import (
	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/listed"
	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/sender/network"
)

// table returns the function that knows the list of a feed as it is now.
func (s *site) table(c feed.Config) func() *listing.Table {
	return func() *listing.Table { return s.Published.Table(c.Name) }
}

// listedContents compares links and files with feeds.
func listedContents(s *site) ([]scan.Scanner, error) {
	var lists []listed.List
	for _, c := range s.Feeds {
		if c.Kind != listing.Networks {
			lists = append(lists, listed.List{Name: c.Name, Kind: c.Kind, Score: c.Score, Table: s.table(c)})
		}
	}
	if len(lists) == 0 {
		return nil, nil
	}
	return one(listed.New(lists, s.texts, s.Content.Redirectors), nil)
}

// listedClients compares clients with feeds.
func listedClients(s *site) ([]scan.Scanner, error) {
	var lists []network.List
	for _, c := range s.Feeds {
		if c.Kind == listing.Networks {
			lists = append(lists, network.List{Name: c.Name, Score: c.Score, Table: s.table(c)})
		}
	}
	if len(lists) == 0 {
		return nil, nil
	}
	return one(network.New(lists, s.local.Trusts), nil)
}

// extentOf returns how much of a message feeds need to be read: links are asked for by several scanners.
func extentOf(list []feed.Config) texts.Extent {
	for _, c := range list {
		if c.Kind == listing.Hosts || c.Kind == listing.URLs {
			return texts.Linked
		}
	}
	return texts.Shown
}
