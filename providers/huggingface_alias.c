/* SPDX-License-Identifier: MIT */
#include "providers/huggingface_alias.h"

#include <stdlib.h>
#include <string.h>

#include "base/annot.h"

/* Sorted by name, which a test checks. */
static const struct hf_alias aliases[] = {
	{ "albert-base", "albert/albert-base-v2" },
	{ "albert-large", "albert/albert-large-v2" },
	{ "bart-base", "facebook/bart-base" },
	{ "bart-large", "facebook/bart-large" },
	{ "beit-base", "microsoft/beit-base-patch16-224" },
	{ "bert-base", "google-bert/bert-base-uncased" },
	{ "bert-base-cased", "google-bert/bert-base-cased" },
	{ "bert-base-multilingual",
	  "google-bert/bert-base-multilingual-cased" },
	{ "bert-large", "google-bert/bert-large-uncased" },
	{ "bert-large-cased", "google-bert/bert-large-cased" },
	{ "bert-mini", "prajjwal1/bert-mini" },
	{ "bert-tiny", "prajjwal1/bert-tiny" },
	{ "bge-base", "BAAI/bge-base-en-v1.5" },
	{ "bge-large", "BAAI/bge-large-en-v1.5" },
	{ "bge-small", "BAAI/bge-small-en-v1.5" },
	{ "camembert-base", "almanach/camembert-base" },
	{ "clip-base", "openai/clip-vit-base-patch32" },
	{ "clip-large", "openai/clip-vit-large-patch14" },
	{ "codebert-base", "microsoft/codebert-base" },
	{ "convnext-base", "facebook/convnext-base-224" },
	{ "convnext-tiny", "facebook/convnext-tiny-224" },
	{ "deberta-base", "microsoft/deberta-base" },
	{ "deberta-v3-base", "microsoft/deberta-v3-base" },
	{ "deit-base", "facebook/deit-base-patch16-224" },
	{ "dinov2-base", "facebook/dinov2-base" },
	{ "distilbert-base", "distilbert/distilbert-base-uncased" },
	{ "distilbert-base-cased", "distilbert/distilbert-base-cased" },
	{ "distilgpt2", "distilbert/distilgpt2" },
	{ "distilroberta-base", "distilbert/distilroberta-base" },
	{ "e5-base", "intfloat/e5-base-v2" },
	{ "e5-large", "intfloat/e5-large-v2" },
	{ "e5-small", "intfloat/e5-small-v2" },
	{ "electra-base", "google/electra-base-discriminator" },
	{ "electra-large", "google/electra-large-discriminator" },
	{ "electra-small", "google/electra-small-discriminator" },
	{ "flan-t5-base", "google/flan-t5-base" },
	{ "flan-t5-small", "google/flan-t5-small" },
	{ "gpt2", "openai-community/gpt2" },
	{ "gpt2-large", "openai-community/gpt2-large" },
	{ "gpt2-medium", "openai-community/gpt2-medium" },
	{ "gpt2-xl", "openai-community/gpt2-xl" },
	{ "minilm", "sentence-transformers/all-MiniLM-L6-v2" },
	{ "minilm-l12", "sentence-transformers/all-MiniLM-L12-v2" },
	{ "mobilebert", "google/mobilebert-uncased" },
	{ "mpnet-base", "microsoft/mpnet-base" },
	{ "mpnet-sentence", "sentence-transformers/all-mpnet-base-v2" },
	{ "opt-125m", "facebook/opt-125m" },
	{ "pythia-70m", "EleutherAI/pythia-70m" },
	{ "resnet-50", "microsoft/resnet-50" },
	{ "roberta-base", "FacebookAI/roberta-base" },
	{ "roberta-large", "FacebookAI/roberta-large" },
	{ "segformer-b0", "nvidia/segformer-b0-finetuned-ade-512-512" },
	{ "swin-base", "microsoft/swin-base-patch4-window7-224" },
	{ "swin-tiny", "microsoft/swin-tiny-patch4-window7-224" },
	{ "t5-base", "google-t5/t5-base" },
	{ "t5-large", "google-t5/t5-large" },
	{ "t5-small", "google-t5/t5-small" },
	{ "tinyllama", "TinyLlama/TinyLlama-1.1B-Chat-v1.0" },
	{ "vit-base", "google/vit-base-patch16-224" },
	{ "vit-large", "google/vit-large-patch16-224" },
	{ "wav2vec2-base", "facebook/wav2vec2-base" },
	{ "whisper-base", "openai/whisper-base" },
	{ "whisper-tiny", "openai/whisper-tiny" },
	{ "xlm-roberta-base", "FacebookAI/xlm-roberta-base" },
	{ "xlm-roberta-large", "FacebookAI/xlm-roberta-large" },
	{ "xlnet-base", "xlnet/xlnet-base-cased" },
};

size_t hf_alias_count(void)
{
	return ARRAY_LEN(aliases);
}

const struct hf_alias *hf_alias_at(size_t index)
{
	return &aliases[index];
}

static int alias_compare(const void *name, const void *alias)
{
	return strcmp(name, ((const struct hf_alias *)alias)->name);
}

const char *hf_alias_find(const char *name)
{
	const struct hf_alias *found =
		bsearch(name, aliases, ARRAY_LEN(aliases), sizeof(aliases[0]),
			alias_compare);

	return found ? found->id : NULL;
}
