package entity

import "testing"

func TestAliasOf(t *testing.T) {
	for _, tt := range []struct{ exe, comm, arg, want string }{
		{"/usr/bin/redis-check-rdb", "redis-server", "redis-server *:6379", "redis-server"},
		{"/usr/bin/redis-check-rdb", "redis-server", "/usr/bin/redis-server", "redis-server"},
		{"/bin/busybox", "httpd", "httpd", "httpd"},
		{"/usr/bin/python3.11", "python3", "/usr/bin/python3", "python3"},
		{"/usr/bin/clickhouse", "clickhouse-serv", "clickhouse-server", "clickhouse-server"},
		{"/usr/sbin/nginx", "nginx", "nginx: master process /usr/sbin/nginx", ""},
		{"/usr/bin/python3.11", "tool", "/usr/bin/python3", ""}, // a script with a "#!" line
		{"/usr/bin/java", "main", "java", ""},                   // renamed by itself
		{"/usr/bin/x", "", "y", ""},
	} {
		if got := aliasOf(tt.exe, tt.comm, []string{tt.arg}); got != tt.want {
			t.Errorf("aliasOf(%q, %q, %q) = %q, want %q", tt.exe, tt.comm, tt.arg, got, tt.want)
		}
	}
}
