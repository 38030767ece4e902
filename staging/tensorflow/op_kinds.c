/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/op_kinds.h"

#include "base/annot.h"
#include "staging/weights/tensor_bundle.h"

static const struct {
	const char *op;
	enum op_kind kind;
} names[] = {
	{ "Identity", OP_IDENTITY },
	{ "RefIdentity", OP_IDENTITY },
	{ "IdentityN", OP_IDENTITY_N },
	{ "StopGradient", OP_PASS },
	{ "PreventGradient", OP_PASS },
	{ "CheckNumerics", OP_PASS },
	{ "CheckNumericsV2", OP_PASS },
	{ "DebugGradientIdentity", OP_PASS },
	{ "DebugGradientRefIdentity", OP_PASS },
	{ "PlaceholderWithDefault", OP_DEFAULT },
	{ "Placeholder", OP_PLACEHOLDER },
	{ "PlaceholderV2", OP_PLACEHOLDER },
	{ "VarHandleOp", OP_HANDLE },
	{ "VariableV2", OP_REF_VARIABLE },
	{ "Variable", OP_REF_VARIABLE },
	{ "ReadVariableOp", OP_READ },
	{ "ResourceGather", OP_GATHER },
	{ "ResourceGatherNd", OP_GATHER_ND },
	{ "VariableShape", OP_SHAPE },
	{ "VarIsInitializedOp", OP_INITIALIZED },
	{ "IsVariableInitialized", OP_INITIALIZED },
	{ "PartitionedCall", OP_CALL },
	{ "StatefulPartitionedCall", OP_CALL },
	{ "While", OP_WHILE },
	{ "StatelessWhile", OP_WHILE },
	{ "If", OP_BRANCH },
	{ "StatelessIf", OP_BRANCH },
	{ "Case", OP_BRANCH },
	{ "StatelessCase", OP_BRANCH },
	{ "Switch", OP_FLOW },
	{ "RefSwitch", OP_FLOW },
	{ "Enter", OP_FLOW },
	{ "RefEnter", OP_FLOW },
	{ "Exit", OP_FLOW },
	{ "RefExit", OP_FLOW },
	{ "NextIteration", OP_FLOW },
	{ "RefNextIteration", OP_FLOW },
	{ "LoopCond", OP_FLOW },
	{ "Merge", OP_MERGE },
	{ "RefMerge", OP_MERGE },
	{ "CountUpTo", OP_WRITE },
	{ "ResourceCountUpTo", OP_WRITE },
	{ "ScatterNd", OP_PLAIN },
	{ "ScatterNdNonAliasingAdd", OP_PLAIN },
	{ "IteratorV2", OP_ITERATOR },
	{ "InitializeTable", OP_TABLE },
	{ "ReadFile", OP_FILE },
	{ "WholeFileReader", OP_FILE },
	{ "WholeFileReaderV2", OP_FILE },
	{ "PyFunc", OP_CUSTOM },
	{ "PyFuncStateless", OP_CUSTOM },
	{ "EagerPyFunc", OP_CUSTOM },
};

/* Longer ones first: the first that fits counts. */
static const struct {
	const char *prefix;
	enum op_kind kind;
} prefixes[] = {
	{ "Assign", OP_WRITE },
	{ "Scatter", OP_WRITE },
	{ "ResourceScatter", OP_WRITE },
	{ "ResourceApply", OP_WRITE },
	{ "ResourceSparseApply", OP_WRITE },
	{ "SparseApply", OP_WRITE },
	{ "Apply", OP_WRITE },
	{ "StridedSliceAssign", OP_WRITE },
	{ "ResourceStridedSliceAssign", OP_WRITE },
	{ "HashTable", OP_TABLE },
	{ "AnonymousHashTable", OP_TABLE },
	{ "AnonymousMutable", OP_TABLE },
	{ "MutableHashTable", OP_TABLE },
	{ "MutableDenseHashTable", OP_TABLE },
	{ "LookupTable", OP_TABLE },
	{ "InitializeTable", OP_TABLE },
	{ "Iterator", OP_ITERATOR },
	{ "MakeIterator", OP_ITERATOR },
	{ "OneShotIterator", OP_ITERATOR },
	{ "AnonymousIterator", OP_ITERATOR },
	{ "Sentencepiece", OP_CUSTOM },
	{ "DecodeProto", OP_FILE },
	{ "TPU", OP_CUSTOM },
};

enum op_kind op_kind(struct tf_text op)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (tf_text_is(op, names[i].op))
			return names[i].kind;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (tf_text_starts(op, prefixes[i].prefix))
			return prefixes[i].kind;
	return memchr(op.at, '>', op.len) ? OP_CUSTOM : OP_PLAIN;
}

struct tf_text op_without_ref(struct tf_text op)
{
	enum op_kind kind = op_kind(op);

	if ((op_is_flow(kind) || kind == OP_IDENTITY) &&
	    tf_text_starts(op, "Ref"))
		return (struct tf_text){ op.at + 3, op.len - 3 };
	return op;
}

bool op_makes_state(const struct tf_op *op)
{
	if (!op || op_pivots(op_kind(op->name)) ||
	    tf_text_starts(op->name, "TensorArray") ||
	    tf_text_starts(op->name, "Stack"))
		return false;
	for (size_t i = 0; i < op->output_count; i++)
		if (op->outputs[i].type == DT_RESOURCE || op->outputs[i].is_ref)
			return true;
	return false;
}

static bool only_reads(enum op_kind kind)
{
	return kind != OP_PLAIN && kind < OP_WRITE;
}

bool op_may_write(enum op_kind kind, const struct tf_op *op)
{
	if (kind == OP_WRITE || !op || only_reads(kind))
		return !only_reads(kind);
	for (size_t i = 0; i < op->input_count; i++)
		if (op->inputs[i].type == DT_RESOURCE || op->inputs[i].is_ref)
			return true;
	return false;
}
