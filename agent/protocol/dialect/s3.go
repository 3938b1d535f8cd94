package dialect

import (
	"net/netip"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// S3 as Amazon, MinIO, Ceph and others offer it. A request is S3's if it is signed for S3 (AWS Signature Version 4, in the field
// Authorization or in the query); nothing else is evidence enough. The operation follows from method, bucket or object, and the query
// (Amazon S3 API reference).

var s3 = &names{
	name: "s3",
	semantics: protocol.Semantics{
		ServerDuration: "rpc_server_call_duration_seconds", ClientDuration: "rpc_client_call_duration_seconds",
		OperationLabel: "rpc_method", ServerTargetLabel: "aws_s3_bucket", ClientTargetLabel: "aws_s3_bucket",
		StatusLabel: "rpc_response_status_code",
		Constant:    []protocol.Attribute{{Key: "rpc_system_name", Value: "aws-api"}},
	},
	reading: protocol.Reading{
		Read: []string{
			"the operation (GetObject, UploadPart, ListObjectsV2) and the bucket of requests signed with Signature Version 4 for S3, presigned ones too (over HTTP/2 only where the field Authorization signs)",
			"buckets in the path, and in the names of Amazon's hosts",
		},
		NotRead: []string{
			"keys of objects, signatures, access keys: never kept",
			"requests without a signature or with one of version 2", "rare operations on the settings of a bucket: one name for each, as GetBucketPolicy",
			"the bucket of a host that is not Amazon's and may have it in its name (neither an address nor called s3, minio or the like): such a request with one segment of path is not named",
			"errors inside a response with the status 200",
		},
	},
}

type s3Reader struct {
	headOnly
	operation, bucket string
}

func beginS3(r Request) Reader {
	if len(r.Query) > 0 {
		r.Signs |= signsOfQuery(r.Query)
	}
	if r.Signs&signS3 == 0 || len(r.Path) == 0 || r.Path[0] != '/' {
		return nil
	}
	bucket, hasObject, ok := splitS3(r.Host, r.Path[1:])
	if !ok {
		return nil
	}
	operation := s3Operation(r.Method, bucket != "" || hasObject, hasObject, r.Signs)
	if operation == "" {
		return nil
	}
	return &s3Reader{operation: operation, bucket: bucket}
}

func (d *s3Reader) Response(int, Signs) {}

func (d *s3Reader) View(bool) *protocol.View {
	return &protocol.View{Protocol: s3, Operation: d.operation, Target: d.bucket}
}

// splitS3 returns the bucket of a request, "" for none or where it is not known, and whether an object is meant. ok is false where that
// cannot be told.
func splitS3(host, path string) (bucket string, hasObject, ok bool) {
	first, rest, _ := strings.Cut(path, "/")
	if name, isAmazon := amazonBucket(host); isAmazon && name != "" {
		return name, path != "", isBucket(name)
	} else if isAmazon || isPathStyle(host) {
		return first, rest != "", first == "" && rest == "" || isBucket(first)
	}
	return "", true, rest != ""
}

// amazonBucket returns what stands before the name of the service in one of Amazon's hosts: bucket.s3.eu-west-1.amazonaws.com.
func amazonBucket(host string) (bucket string, isAmazon bool) {
	if !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn") {
		return "", false
	}
	if strings.HasPrefix(host, "s3.") || strings.HasPrefix(host, "s3-") {
		return "", true
	}
	for _, service := range []string{".s3.", ".s3-"} {
		if i := strings.Index(host, service); i > 0 {
			return host[:i], true
		}
	}
	return "", false
}

// isPathStyle reports whether a host that is not Amazon's can have no bucket in its name: clients put none before an address or a
// single label, and not before what is itself called after the service.
func isPathStyle(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	first, _, hasMore := strings.Cut(host, ".")
	if !hasMore && first != "" {
		return true
	}
	switch first {
	case "s3", "minio", "rgw", "ceph", "storage", "objectstore", "object-store", "object-storage", "objects", "seaweedfs", "garage":
		return true
	}
	return false
}

// isBucket checks the rules of names (Amazon S3 user guide, "Bucket naming rules"): 3 to 63 lower-case letters, digits, dots, hyphens.
func isBucket(s string) bool {
	if len(s) < 3 || len(s) > 63 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c < 'a' || c > 'z') && (c != '.' && c != '-' || i == 0) {
			return false
		}
	}
	return true
}
