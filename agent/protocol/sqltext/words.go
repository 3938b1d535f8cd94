package sqltext

// Verbs that are operations of their own. The longest has 10 letters.
var verbs = wordSet(
	"ABORT", "ALTER", "ANALYZE", "BEGIN", "BINLOG", "CACHE", "CALL", "CHANGE", "CHECK", "CHECKPOINT", "CHECKSUM", "CLONE", "CLOSE",
	"CLUSTER", "COMMENT", "COMMIT", "COPY", "CREATE", "DEALLOCATE", "DECLARE", "DELETE", "DESC", "DESCRIBE", "DISCARD", "DO", "DROP",
	"END", "EXECUTE", "EXPLAIN", "FETCH", "FLUSH", "GET", "GRANT", "HANDLER", "HELP", "IMPORT", "INSERT", "INSTALL", "KILL", "LISTEN",
	"LOAD", "LOCK", "MERGE", "MOVE", "NOTIFY", "OPTIMIZE", "PREPARE", "PURGE", "REASSIGN", "REFRESH", "REINDEX", "RELEASE", "RENAME",
	"REPAIR", "REPLACE", "RESET", "RESIGNAL", "RESTART", "REVOKE", "ROLLBACK", "SAVEPOINT", "SECURITY", "SELECT", "SET", "SHOW",
	"SHUTDOWN", "SIGNAL", "START", "STOP", "TABLE", "TRUNCATE", "UNINSTALL", "UNLISTEN", "UNLOCK", "UPDATE", "USE", "VACUUM", "VALUES",
	"WITH", "XA",
)

// mainVerbs may follow the common table expressions of WITH.
var mainVerbs = wordSet("DELETE", "INSERT", "MERGE", "REPLACE", "SELECT", "TABLE", "UPDATE", "VALUES")

// nameVerbs are followed by names that programs make up: sp_4711, pdo_stmt_00000001. plainWords are the words among them that are none.
var (
	nameVerbs  = wordSet("CLOSE", "DEALLOCATE", "RELEASE", "ROLLBACK", "SAVEPOINT")
	plainWords = wordSet("ALL", "AND", "CHAIN", "CURRENT", "NO", "PREPARE", "PREPARED", "RELEASE", "SAVEPOINT", "TO", "TRANSACTION", "WORK")
)

// constants are literals that look like words. They count as such only inside lists.
var constants = wordSet("FALSE", "NULL", "TRUE")

func wordSet(words ...string) map[string]string {
	m := make(map[string]string, len(words))
	for _, w := range words {
		m[w] = w
	}
	return m
}

// maxWord is longer than any word above.
const maxWord = 12

// upper looks a word up, whatever its case, and returns it in upper case; "" when it is not in the set.
func upper(set map[string]string, word []byte) string {
	var b [maxWord]byte
	if len(word) > maxWord {
		return ""
	}
	for i, c := range word {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		b[i] = c
	}
	return set[string(b[:len(word)])]
}
