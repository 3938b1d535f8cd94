package promapi

import (
	"context"
	"errors"
	"net/url"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// nothing answers for the parts of a Prometheus server that Sonde does not have: it scrapes nothing, and evaluates no
// rules in this API.
type nothing struct{}

func scrapePools(context.Context) apiv1.ScrapePoolsRetriever    { return nothing{} }
func targets(context.Context) apiv1.TargetRetriever             { return nothing{} }
func alertmanagers(context.Context) apiv1.AlertmanagerRetriever { return nothing{} }
func ruleGroups(context.Context) apiv1.RulesRetriever           { return nothing{} }

func (nothing) ScrapePools() []string                       { return nil }
func (nothing) TargetsActive() map[string][]*scrape.Target  { return nil }
func (nothing) TargetsDropped() map[string][]*scrape.Target { return nil }
func (nothing) TargetsDroppedCounts() map[string]int        { return nil }
func (nothing) ScrapePoolConfig(string) (*config.ScrapeConfig, error) {
	return nil, errors.New("nothing is scraped: Sonde observes instead")
}
func (nothing) Alertmanagers() []*url.URL            { return nil }
func (nothing) DroppedAlertmanagers() []*url.URL     { return nil }
func (nothing) RuleGroups() []*rules.Group           { return nil }
func (nothing) AlertingRules() []*rules.AlertingRule { return nil }
