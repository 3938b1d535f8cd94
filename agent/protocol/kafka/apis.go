package kafka

// api is one kind of request of the protocol guide (kafka.apache.org/protocol, "Api Keys").
type api struct {
	name     string
	newest   int8 // version that is known
	flexible int8 // first version with compact lengths and tagged fields (KIP-482)
	waits    bool // the broker answers late on purpose
	request  []field
	response []field
}

const never = 127

// Keys that need more than a schema.
const (
	keyProduce            = 0
	keyFetch              = 1
	keyMetadata           = 3
	keyOffsetCommit       = 8
	keyOffsetFetch        = 9
	keyControlledShutdown = 7
	keySASLHandshake      = 17
	keyAPIVersions        = 18
	keyTxnOffsetCommit    = 28
)

// Responses that begin with an error code, behind a throttle time or not.
const (
	plainError     = "error stop"
	throttledError = "i4 error stop"
)

// apis is indexed by key. Layouts are given as far as they say something: see layout.go for the notation.
var apis = [...]api{
	keyProduce: {name: "Produce", newest: 13, flexible: 9,
		request:  layout("str@3 acks i4 [ topic@-12 topicID@13 [ i4 records ] ]"),
		response: layout("[ str@-12 uuid@13 [ i4 error i8 i8@2 i8@5 [ i4 str ]@8 str@8 ] ] i4@1")},
	keyFetch: {name: "Fetch", newest: 18, flexible: 12, waits: true,
		request: layout("replica@-14 i4 i4 i4@3 i1@4 session@7 epoch@7 " +
			"[ topic@-12 topicID@13 [ partition i4@9 offset i4@12 i8@5 i4 ] ] [ forgotten@-12 forgottenID@13 ( leaves ) ]@7 str@11"),
		response: layout("i4@1 error@7 session@7 [ topic@-12 topicID@13 " +
			"[ partition error watermark i8@4 i8@5 [ i8 i8 ]@4 i4@11 records ] ]")},
	2: {name: "ListOffsets", newest: 11, flexible: 6,
		request:  layout("i4 i1@2 [ topic [ i4 i4@4 i8 i4@-0 ] ] i4@10"),
		response: layout("i4@2 [ str [ i4 error ( i8 )@-0 i8@1 i8@1 i4@4 ] ]")},
	keyMetadata: {name: "Metadata", newest: 13, flexible: 9,
		request: layout("[ uuid@10 topic ] i1@4 i1@8-10 i1@8"),
		response: layout("i4@3 [ i4 str i4 str@1 ] str@2 i4@1 " +
			"[ error learnName learnID@10 i1@1 [ error i4 i4 i4@7 ( i4 ) ( i4 ) ( i4 )@5 ] i4@8 ] i4@8-10 error@13")},
	4:                     {name: "LeaderAndIsr", newest: 7, flexible: 4, response: layout(plainError)},
	5:                     {name: "StopReplica", newest: 4, flexible: 2, response: layout(plainError)},
	6:                     {name: "UpdateMetadata", newest: 8, flexible: 6, response: layout(plainError)},
	keyControlledShutdown: {name: "ControlledShutdown", newest: 3, flexible: 3, response: layout(plainError)},
	keyOffsetCommit: {name: "OffsetCommit", newest: 10, flexible: 8,
		request:  layout("group i4@1 str@1 str@7 i8@2-4 [ topic@-9 topicID@10 [ partition committed i8@1-1 i4@6 str ] ]"),
		response: layout("i4@3 [ str@-9 uuid@10 [ i4 error ] ]")},
	keyOffsetFetch: {name: "OffsetFetch", newest: 10, flexible: 6,
		request: layout("group@-7 [ topic ( i4 ) ]@-7 [ group str@9 i4@9 [ topic@-9 topicID@10 ( i4 ) ] ]@8 i1@7"),
		response: layout("i4@3 [ topic [ partition committed i4@5 str error ] ]@-7 error@2-7 " +
			"[ group [ topic@-9 topicID@10 [ partition committed i4 str error ] ] error ]@8")},
	10: {name: "FindCoordinator", newest: 6, flexible: 3,
		response: layout("i4@1 error@-3 stop@-3 [ str i4 str i4 error str ]")},
	11: {name: "JoinGroup", newest: 9, flexible: 6, waits: true,
		request: layout("group i4 i4@1 str str@5 str [ str bytes ] str@8"), response: layout("i4@2 error stop")},
	12: {name: "Heartbeat", newest: 4, flexible: 4,
		request: layout("group i4 str str@3"), response: layout("i4@1 error stop")},
	13: {name: "LeaveGroup", newest: 5, flexible: 4,
		request: layout("group str@-2 [ str str str@5 ]@3"), response: layout("i4@1 error [ str str error ]@3")},
	14: {name: "SyncGroup", newest: 5, flexible: 4, waits: true,
		request: layout("group i4 str str@3 str@5 str@5 [ str bytes ]"), response: layout("i4@1 error stop")},
	15: {name: "DescribeGroups", newest: 6, flexible: 5,
		response: layout("i4@1 [ error str@6 str str str str [ str str@4 str str bytes bytes ] i4@3 ]")},
	16:               {name: "ListGroups", newest: 5, flexible: 3, response: layout("i4@1 error stop")},
	keySASLHandshake: {name: "SaslHandshake", newest: 1, flexible: never, request: layout("str"), response: layout(plainError)},
	keyAPIVersions: {name: "ApiVersions", newest: 5, flexible: 3,
		request: layout("str@3 str@3 str@5 i4@5"), response: layout(plainError)},
	19: {name: "CreateTopics", newest: 7, flexible: 5,
		response: layout("i4@2 [ str uuid@7 error str@1 i4@5 i2@5 [ str str i1 i1 i1 ]@5 ]")},
	20: {name: "DeleteTopics", newest: 6, flexible: 4, response: layout("i4@1 [ str uuid@6 error str@5 ]")},
	21: {name: "DeleteRecords", newest: 2, flexible: 2, response: layout("i4 [ str [ i4 i8 error ] ]")},
	22: {name: "InitProducerId", newest: 5, flexible: 2, response: layout(throttledError)},
	23: {name: "OffsetForLeaderEpoch", newest: 4, flexible: 4, response: layout("i4@2 [ str [ error i4 i4@1 i8 ] ]")},
	24: {name: "AddPartitionsToTxn", newest: 5, flexible: 3,
		response: layout("i4 error@4 [ str [ str [ i4 error ] ] ]@4 [ str [ i4 error ] ]@-3")},
	25: {name: "AddOffsetsToTxn", newest: 4, flexible: 3, request: layout("str i8 i2 group"), response: layout(throttledError)},
	26: {name: "EndTxn", newest: 5, flexible: 3, response: layout(throttledError)},
	27: {name: "WriteTxnMarkers", newest: 2, flexible: 1, response: layout("[ i8 [ str [ i4 error ] ] ]")},
	keyTxnOffsetCommit: {name: "TxnOffsetCommit", newest: 6, flexible: 3,
		request:  layout("str group i8 i2 i4@3 str@3 str@3 [ topic@-5 topicID@6 [ partition retracted i4@2 str ] ]"),
		response: layout("i4 [ str@-5 uuid@6 [ i4 error ] ]")},
	29: {name: "DescribeAcls", newest: 3, flexible: 2, response: layout(throttledError)},
	30: {name: "CreateAcls", newest: 3, flexible: 2, response: layout("i4 [ error str ]")},
	31: {name: "DeleteAcls", newest: 3, flexible: 2, response: layout("i4 [ error str [ error str i1 str i1@1 str str i1 i1 ] ]")},
	32: {name: "DescribeConfigs", newest: 4, flexible: 4,
		response: layout("i4 [ error str i1 str [ str str i1 i1@-0 i1@1 i1 [ str str i1 ]@1 i1@3 str@3 ] ]")},
	33: {name: "AlterConfigs", newest: 2, flexible: 2, response: layout("i4 [ error str i1 str ]")},
	34: {name: "AlterReplicaLogDirs", newest: 2, flexible: 2, response: layout("i4 [ str [ i4 error ] ]")},
	35: {name: "DescribeLogDirs", newest: 5, flexible: 2, response: layout("i4 error@3 stop@3 [ error str [ str [ i4 i8 i8 i1 ] ] ]")},
	36: {name: "SaslAuthenticate", newest: 2, flexible: 2, request: layout("stop"), response: layout(plainError)},
	37: {name: "CreatePartitions", newest: 3, flexible: 2, response: layout("i4 [ str error str ]")},
	38: {name: "CreateDelegationToken", newest: 3, flexible: 2, response: layout(plainError)},
	39: {name: "RenewDelegationToken", newest: 2, flexible: 2, response: layout(plainError)},
	40: {name: "ExpireDelegationToken", newest: 2, flexible: 2, response: layout(plainError)},
	41: {name: "DescribeDelegationToken", newest: 3, flexible: 2, response: layout(plainError)},
	42: {name: "DeleteGroups", newest: 3, flexible: 2, response: layout("i4 [ str error str@3 ]")},
	43: {name: "ElectLeaders", newest: 2, flexible: 2, response: layout("i4 error@1 [ str [ i4 error str ] ]")},
	44: {name: "IncrementalAlterConfigs", newest: 1, flexible: 1, response: layout("i4 [ error str i1 str ]")},
	45: {name: "AlterPartitionReassignments", newest: 1, flexible: 0, response: layout("i4 i1@1 error str [ str [ i4 error str ] ]")},
	46: {name: "ListPartitionReassignments", newest: 0, flexible: 0, response: layout(throttledError)},
	47: {name: "OffsetDelete", newest: 0, flexible: never, request: layout("group stop"), response: layout("error i4 [ str [ i4 error ] ]")},
	48: {name: "DescribeClientQuotas", newest: 1, flexible: 1, response: layout(throttledError)},
	49: {name: "AlterClientQuotas", newest: 1, flexible: 1, response: layout("i4 [ error str [ str str ] ]")},
	50: {name: "DescribeUserScramCredentials", newest: 0, flexible: 0, response: layout(throttledError)},
	51: {name: "AlterUserScramCredentials", newest: 0, flexible: 0, response: layout("i4 [ str error str ]")},
	52: {name: "Vote", newest: 2, flexible: 0, response: layout(plainError)},
	53: {name: "BeginQuorumEpoch", newest: 1, flexible: 1, response: layout(plainError)},
	54: {name: "EndQuorumEpoch", newest: 1, flexible: 1, response: layout(plainError)},
	55: {name: "DescribeQuorum", newest: 2, flexible: 0, response: layout(plainError)},
	56: {name: "AlterPartition", newest: 3, flexible: 0, response: layout(throttledError)},
	57: {name: "UpdateFeatures", newest: 2, flexible: 0, response: layout(throttledError)},
	58: {name: "Envelope", newest: 0, flexible: 0, request: layout("stop"), response: layout("bytes error")},
	59: {name: "FetchSnapshot", newest: 1, flexible: 0, response: layout(throttledError)},
	60: {name: "DescribeCluster", newest: 2, flexible: 0, response: layout(throttledError)},
	61: {name: "DescribeProducers", newest: 0, flexible: 0, response: layout("i4 [ str [ i4 error str [ i8 i4 i4 i8 i4 i8 ] ] ]")},
	62: {name: "BrokerRegistration", newest: 4, flexible: 0, response: layout(throttledError)},
	63: {name: "BrokerHeartbeat", newest: 2, flexible: 0, response: layout(throttledError)},
	64: {name: "UnregisterBroker", newest: 0, flexible: 0, response: layout(throttledError)},
	65: {name: "DescribeTransactions", newest: 0, flexible: 0, response: layout("i4 [ error str str i4 i8 i8 i2 [ str ( i4 ) ] ]")},
	66: {name: "ListTransactions", newest: 2, flexible: 0, response: layout(throttledError)},
	67: {name: "AllocateProducerIds", newest: 0, flexible: 0, response: layout(throttledError)},
	68: {name: "ConsumerGroupHeartbeat", newest: 1, flexible: 0, request: layout("group stop"), response: layout(throttledError)},
	69: {name: "ConsumerGroupDescribe", newest: 1, flexible: 0},
	70: {name: "ControllerRegistration", newest: 0, flexible: 0, response: layout(throttledError)},
	71: {name: "GetTelemetrySubscriptions", newest: 0, flexible: 0, response: layout(throttledError)},
	72: {name: "PushTelemetry", newest: 0, flexible: 0, response: layout(throttledError)},
	73: {name: "AssignReplicasToDirs", newest: 0, flexible: 0, response: layout(throttledError)},
	74: {name: "ListConfigResources", newest: 1, flexible: 0, response: layout(throttledError)},
	75: {name: "DescribeTopicPartitions", newest: 0, flexible: 0,
		response: layout("i4 [ error learnName learnID i1 [ error i4 i4 i4 ( i4 ) ( i4 ) ( i4 ) ( i4 ) ( i4 ) ] i4 ] stop")},
	76: {name: "ShareGroupHeartbeat", newest: 1, flexible: 0, request: layout("group stop"), response: layout(throttledError)},
	77: {name: "ShareGroupDescribe", newest: 1, flexible: 0},
	78: {name: "ShareFetch", newest: 2, flexible: 0, waits: true, request: layout("group stop"), response: layout(throttledError)},
	79: {name: "ShareAcknowledge", newest: 2, flexible: 0, request: layout("group stop"), response: layout(throttledError)},
	80: {name: "AddRaftVoter", newest: 1, flexible: 0, response: layout(throttledError)},
	81: {name: "RemoveRaftVoter", newest: 0, flexible: 0, response: layout(throttledError)},
	82: {name: "UpdateRaftVoter", newest: 0, flexible: 0, response: layout(throttledError)},
	83: {name: "InitializeShareGroupState", newest: 0, flexible: 0},
	84: {name: "ReadShareGroupState", newest: 0, flexible: 0},
	85: {name: "WriteShareGroupState", newest: 1, flexible: 0},
	86: {name: "DeleteShareGroupState", newest: 0, flexible: 0},
	87: {name: "ReadShareGroupStateSummary", newest: 1, flexible: 0},
	88: {name: "StreamsGroupHeartbeat", newest: 1, flexible: 0, request: layout("group stop"), response: layout(throttledError)},
	89: {name: "StreamsGroupDescribe", newest: 1, flexible: 0},
	90: {name: "DescribeShareGroupOffsets", newest: 1, flexible: 0},
	91: {name: "AlterShareGroupOffsets", newest: 0, flexible: 0, request: layout("group stop"), response: layout(throttledError)},
	92: {name: "DeleteShareGroupOffsets", newest: 0, flexible: 0, request: layout("group stop"), response: layout(throttledError)},
}

// otherAPI stands for keys and versions that are newer than this list: they are counted, and no more is said of them.
var otherAPI = api{name: "other", newest: -1, flexible: never}

// apiOf returns what is known of a key. isKnown: its layouts hold for the version.
func apiOf(key, version int16) (a *api, isKnown bool) {
	if key < 0 || int(key) >= len(apis) || apis[key].name == "" {
		return &otherAPI, false
	}
	a = &apis[key]
	return a, version >= 0 && version <= int16(a.newest)
}

func (a *api) isFlexible(version int16) bool { return version >= int16(a.flexible) }
