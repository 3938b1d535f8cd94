package dialect

import "bytes"

// The query says which resource of a bucket or an object is meant. It is reduced to signs: a bit for each of the first parameters, a
// number for the others.
const (
	signS3       Signs = 1 << (32 + iota) // the request is signed for S3
	signCopy                              // x-amz-copy-source
	signListV2                            // list-type=2
	signUploads                           // uploads
	signUploadID                          // uploadId=
	signPart                              // partNumber=
	signDelete                            // delete

	resourceShift = 48 // from here on: the index in resources, plus one
)

// resource is a parameter of the query that names a part of a bucket or an object, with the ends of the operations' names.
type resource struct{ query, bucket, object string }

var resources = [...]resource{
	{"acl", "BucketAcl", "ObjectAcl"},
	{"tagging", "BucketTagging", "ObjectTagging"},
	{"location", "BucketLocation", ""},
	{"versioning", "BucketVersioning", ""},
	{"versions", "ObjectVersions", ""},
	{"policy", "BucketPolicy", ""},
	{"lifecycle", "BucketLifecycleConfiguration", ""},
	{"cors", "BucketCors", ""},
	{"encryption", "BucketEncryption", ""},
	{"replication", "BucketReplication", ""},
	{"notification", "BucketNotificationConfiguration", ""},
	{"website", "BucketWebsite", ""},
	{"logging", "BucketLogging", ""},
	{"object-lock", "ObjectLockConfiguration", ""},
	{"retention", "", "ObjectRetention"},
	{"legal-hold", "", "ObjectLegalHold"},
	{"attributes", "", "ObjectAttributes"},
	{"restore", "", "RestoreObject"},
	{"select", "", "SelectObjectContent"},
}

func signsOfQuery(query []byte) (s Signs) {
	for len(query) > 0 {
		var item []byte
		item, query, _ = bytes.Cut(query, []byte("&"))
		key, value, _ := bytes.Cut(item, []byte("="))
		switch string(key) {
		case "list-type":
			s |= when(string(value) == "2", signListV2)
		case "uploads":
			s |= signUploads
		case "uploadId":
			s |= signUploadID
		case "partNumber":
			s |= signPart
		case "delete":
			s |= signDelete
		case "X-Amz-Credential":
			s |= when(bytes.Contains(value, []byte("%2Fs3%2Faws4_request")) || bytes.Contains(value, []byte("/s3/aws4_request")), signS3)
		default:
			s = s.withResource(key)
		}
	}
	return s
}

// withResource notes a resource; with a second one, nobody knows.
func (s Signs) withResource(key []byte) Signs {
	for i := range resources {
		if string(key) != resources[i].query {
			continue
		}
		if s>>resourceShift != 0 {
			i = len(resources)
		}
		return s&(1<<resourceShift-1) | Signs(i+1)<<resourceShift
	}
	return s
}

// signsOfAuthorization looks at the scope of a signature, and keeps nothing of it.
func signsOfAuthorization(v []byte) Signs {
	return when(bytes.HasPrefix(v, signatureWord) && bytes.Contains(v, []byte("/s3/aws4_request")), signS3)
}

// s3Operation names what a request does, "" for what is unknown.
func s3Operation(method string, hasBucket, hasObject bool, s Signs) string {
	if i := int(s >> resourceShift); i > len(resources) {
		return "" // two resources at once
	} else if i > 0 {
		return ofResource(method, resources[i-1], hasObject)
	}
	switch {
	case hasObject:
		return ofObject(method, s)
	case hasBucket:
		return ofBucket(method, s)
	case method == "GET":
		return "ListBuckets"
	}
	return ""
}

func ofObject(method string, s Signs) string {
	isUpload := s&signUploadID != 0
	switch method {
	case "GET":
		if isUpload {
			return "ListParts"
		}
		return "GetObject"
	case "HEAD":
		return "HeadObject"
	case "PUT":
		switch isCopy := s&signCopy != 0; {
		case isUpload && isCopy:
			return "UploadPartCopy"
		case isUpload:
			return "UploadPart"
		case isCopy:
			return "CopyObject"
		}
		return "PutObject"
	case "POST":
		if s&signUploads != 0 {
			return "CreateMultipartUpload"
		} else if isUpload {
			return "CompleteMultipartUpload"
		}
	case "DELETE":
		if isUpload {
			return "AbortMultipartUpload"
		}
		return "DeleteObject"
	}
	return ""
}

func ofBucket(method string, s Signs) string {
	switch method {
	case "GET":
		switch {
		case s&signListV2 != 0:
			return "ListObjectsV2"
		case s&signUploads != 0:
			return "ListMultipartUploads"
		}
		return "ListObjects"
	case "HEAD":
		return "HeadBucket"
	case "PUT":
		return "CreateBucket"
	case "POST":
		if s&signDelete != 0 {
			return "DeleteObjects"
		}
	case "DELETE":
		return "DeleteBucket"
	}
	return ""
}

// ofResource puts the name together: Get, Put or Delete and what it is about.
func ofResource(method string, r resource, hasObject bool) string {
	name := r.bucket
	if hasObject {
		name = r.object
	}
	switch {
	case name == "":
		return ""
	case r.query == "versions":
		return only(method == "GET", "ListObjectVersions")
	case r.query == "restore", r.query == "select":
		return only(method == "POST", name)
	case method == "GET":
		return "Get" + name
	case method == "PUT":
		return "Put" + name
	case method == "DELETE":
		return "Delete" + name
	}
	return ""
}

func only(is bool, name string) string {
	if is {
		return name
	}
	return ""
}
