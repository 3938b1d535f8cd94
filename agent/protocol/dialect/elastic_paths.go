package dialect

import "strings"

// endpoint is one form of a path with the endpoint ids of its methods, "" for those that it does not have (Elasticsearch: rest-api-spec).
type endpoint struct {
	get, head, put, post, del string
	isPeculiar                bool // nothing else has this path
}

func (e *endpoint) of(method string) string {
	switch method {
	case "GET":
		return e.get
	case "HEAD":
		return e.head
	case "PUT":
		return e.put
	case "POST":
		return e.post
	case "DELETE":
		return e.del
	}
	return ""
}

// either is an endpoint for GET and POST, as all that search with a body.
func either(id string) *endpoint { return &endpoint{get: id, post: id, isPeculiar: true} }

func write(id string) *endpoint { return &endpoint{put: id, post: id, isPeculiar: true} }

func read(id string) *endpoint { return &endpoint{get: id} }

func post(id string) *endpoint { return &endpoint{post: id} }

// onIndex are the endpoints below /{index}, onAll those of the root; * stands for a last segment of any text.
var onIndex = map[string]*endpoint{
	"":                 {get: "indices.get", head: "indices.exists", put: "indices.create", del: "indices.delete"},
	"_search":          either("search"),
	"_search/template": either("search_template"),
	"_search_shards":   either("search_shards"),
	"_async_search":    {post: "async_search.submit", isPeculiar: true},
	"_msearch":         either("msearch"),
	"_mget":            either("mget"),
	"_mtermvectors":    either("mtermvectors"),
	"_termvectors":     either("termvectors"),
	"_termvectors/*":   either("termvectors"),
	"_count":           either("count"),
	"_explain/*":       either("explain"),
	"_field_caps":      either("field_caps"),
	"_terms_enum":      either("terms_enum"),
	"_rank_eval":       either("rank_eval"),
	"_validate/query":  either("indices.validate_query"),
	"_bulk":            write("bulk"),
	"_doc":             {post: "index", isPeculiar: true},
	"_doc/*":           {get: "get", head: "exists", put: "index", post: "index", del: "delete", isPeculiar: true},
	"_source/*":        {get: "get_source", head: "exists_source"},
	"_create/*":        write("create"),
	"_update/*":        {post: "update", isPeculiar: true},
	"_update_by_query": {post: "update_by_query", isPeculiar: true},
	"_delete_by_query": {post: "delete_by_query", isPeculiar: true},
	"_pit":             post("open_point_in_time"),
	"_mapping":         {get: "indices.get_mapping", put: "indices.put_mapping", post: "indices.put_mapping"},
	"_mappings":        {get: "indices.get_mapping", put: "indices.put_mapping", post: "indices.put_mapping"},
	"_settings":        {get: "indices.get_settings", put: "indices.put_settings"},
	"_alias":           {get: "indices.get_alias"},
	"_alias/*":         {get: "indices.get_alias", head: "indices.exists_alias", put: "indices.put_alias", post: "indices.put_alias", del: "indices.delete_alias"},
	"_refresh":         {get: "indices.refresh", post: "indices.refresh"},
	"_flush":           {get: "indices.flush", post: "indices.flush"},
	"_forcemerge":      post("indices.forcemerge"),
	"_analyze":         {get: "indices.analyze", post: "indices.analyze"},
	"_stats":           read("indices.stats"),
	"_segments":        read("indices.segments"),
	"_recovery":        read("indices.recovery"),
	"_open":            post("indices.open"),
	"_close":           post("indices.close"),
	"_rollover":        post("indices.rollover"),
}

var onAll = map[string]*endpoint{
	"":                        {get: "info", head: "ping"},
	"_search":                 either("search"),
	"_search/template":        either("search_template"),
	"_search/scroll":          {get: "scroll", post: "scroll", del: "clear_scroll", isPeculiar: true},
	"_search/scroll/*":        {get: "scroll", post: "scroll", del: "clear_scroll", isPeculiar: true},
	"_msearch":                either("msearch"),
	"_msearch/template":       either("msearch_template"),
	"_mget":                   either("mget"),
	"_count":                  either("count"),
	"_field_caps":             either("field_caps"),
	"_bulk":                   write("bulk"),
	"_reindex":                {post: "reindex", isPeculiar: true},
	"_pit":                    {del: "close_point_in_time"},
	"_async_search":           post("async_search.submit"),
	"_async_search/*":         {get: "async_search.get", del: "async_search.delete"},
	"_sql":                    {get: "sql.query", post: "sql.query"},
	"_query":                  post("esql.query"),
	"_eql":                    post("eql.search"),
	"_cluster/health":         {get: "cluster.health", isPeculiar: true},
	"_cluster/health/*":       {get: "cluster.health", isPeculiar: true},
	"_cluster/state":          read("cluster.state"),
	"_cluster/stats":          read("cluster.stats"),
	"_cluster/pending_tasks":  read("cluster.pending_tasks"),
	"_cluster/settings":       {get: "cluster.get_settings", put: "cluster.put_settings"},
	"_cluster/reroute":        post("cluster.reroute"),
	"_nodes":                  read("nodes.info"),
	"_nodes/*":                read("nodes.info"),
	"_nodes/stats":            read("nodes.stats"),
	"_nodes/hot_threads":      read("nodes.hot_threads"),
	"_tasks":                  read("tasks.list"),
	"_tasks/*":                read("tasks.get"),
	"_stats":                  read("indices.stats"),
	"_mapping":                read("indices.get_mapping"),
	"_settings":               {get: "indices.get_settings", put: "indices.put_settings"},
	"_refresh":                {get: "indices.refresh", post: "indices.refresh"},
	"_flush":                  {get: "indices.flush", post: "indices.flush"},
	"_analyze":                {get: "indices.analyze", post: "indices.analyze"},
	"_alias":                  read("indices.get_alias"),
	"_alias/*":                {get: "indices.get_alias", head: "indices.exists_alias"},
	"_aliases":                {get: "indices.get_alias", post: "indices.update_aliases"},
	"_template/*":             {get: "indices.get_template", head: "indices.exists_template", put: "indices.put_template", post: "indices.put_template", del: "indices.delete_template"},
	"_index_template/*":       {get: "indices.get_index_template", head: "indices.exists_index_template", put: "indices.put_index_template", post: "indices.put_index_template", del: "indices.delete_index_template"},
	"_component_template/*":   {get: "cluster.get_component_template", head: "cluster.exists_component_template", put: "cluster.put_component_template", del: "cluster.delete_component_template"},
	"_data_stream/*":          {get: "indices.get_data_stream", put: "indices.create_data_stream", del: "indices.delete_data_stream"},
	"_ingest/pipeline/*":      {get: "ingest.get_pipeline", put: "ingest.put_pipeline", del: "ingest.delete_pipeline"},
	"_ingest/pipeline":        read("ingest.get_pipeline"),
	"_scripts/*":              {get: "get_script", put: "put_script", post: "put_script", del: "delete_script"},
	"_ilm/policy/*":           {get: "ilm.get_lifecycle", put: "ilm.put_lifecycle", del: "ilm.delete_lifecycle"},
	"_security/_authenticate": read("security.authenticate"),
	"_license":                read("license.get"),
	"_xpack":                  read("xpack.info"),
	"_xpack/usage":            read("xpack.usage"),
	"_snapshot/*":             {get: "snapshot.get_repository", put: "snapshot.create_repository", del: "snapshot.delete_repository"},
	"_cat/indices":            read("cat.indices"),
	"_cat/indices/*":          read("cat.indices"),
	"_cat/shards":             read("cat.shards"),
	"_cat/nodes":              read("cat.nodes"),
	"_cat/health":             read("cat.health"),
	"_cat/aliases":            read("cat.aliases"),
	"_cat/allocation":         read("cat.allocation"),
	"_cat/count":              read("cat.count"),
	"_cat/templates":          read("cat.templates"),
	"_cat/thread_pool":        read("cat.thread_pool"),
	"_plugins/_ism/*":         {get: "plugins.ism", put: "plugins.ism", post: "plugins.ism", del: "plugins.ism"},
	"_plugins/_knn/*":         {get: "plugins.knn", post: "plugins.knn"},
	"_plugins/_sql":           post("plugins.sql"),
	"_plugins/_ppl":           post("plugins.ppl"),
}

// findEndpoint reads a path without its first slash: the index, if it names one, and its endpoint, nil for none.
func findEndpoint(path string) (index string, e *endpoint) {
	path = strings.TrimSuffix(path, "/")
	table, rest := onAll, path
	if len(path) > 0 && (path[0] != '_' || strings.HasPrefix(path, "_all/")) {
		table = onIndex
		index, rest, _ = strings.Cut(path, "/")
	}
	if e = table[rest]; e != nil {
		return index, e
	}
	last := strings.LastIndexByte(rest, '/')
	if last < 0 || last+1 == len(rest) {
		return "", nil
	}
	var key [64]byte
	if last+2 > len(key) {
		return "", nil
	}
	n := copy(key[:], rest[:last+1])
	key[n] = '*'
	return index, table[string(key[:n+1])]
}
