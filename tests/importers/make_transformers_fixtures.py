#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes fixtures of transformers, computed by the library itself.

    make_transformers_fixtures.py [NAME...]

Needs torch and transformers, which the tests do not.  Each line of the table
is a tiny model: the configuration of a fixture that is there, with changes.
fixtures/activations.npz is written too.
"""

import json
import math
import pathlib
import sys
import tempfile

import numpy as np

import judge
import synth
import synth_rule
from safetensors_file import SafetensorsFile
from served import FIXTURES

LABELS = {"id2label": {str(i): "LABEL_%d" % i for i in range(3)},
          "label2id": {"LABEL_%d" % i: i for i in range(3)}}
# What a head that ignores these settings would not notice in others.
UNUSUAL = {"hidden_act": "relu", "layer_norm_eps": 1e-3}
ENDS = {
    "feature-extraction": "Model", "fill-mask": "ForMaskedLM",
    "text-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
    "question-answering": "ForQuestionAnswering",
    "pretraining": "ForPreTraining",
    "text-generation": "ForCausalLM",
    "image-feature-extraction": "Model",
    "image-classification": "ForImageClassification",
    "zero-shot-image-classification": "Model",
    "text2text-generation": "ForConditionalGeneration",
    "summarization": "ForConditionalGeneration",
    "image-segmentation": "ForSemanticSegmentation",
    "automatic-speech-recognition": "ForCTC",
    "audio-classification": "ForSequenceClassification",
}
CLASSES = {
    "albert": "Albert", "beit": "Beit", "bert": "Bert",
    "camembert": "Camembert", "clip": "CLIP", "clip_text_model": "CLIPText",
    "clip_vision_model": "CLIPVision", "deberta": "Deberta",
    "deberta-v2": "DebertaV2", "deit": "DeiT", "dinov2": "Dinov2",
    "dinov2_with_registers": "Dinov2WithRegisters",
    "distilbert": "DistilBert", "electra": "Electra", "gemma": "Gemma",
    "gpt_neox": "GPTNeoX", "llama": "Llama", "mistral": "Mistral",
    "mpnet": "MPNet", "phi": "Phi", "phi3": "Phi3", "qwen2": "Qwen2",
    "qwen3": "Qwen3", "roberta": "Roberta", "siglip": "Siglip",
    "siglip_text_model": "SiglipText",
    "siglip_vision_model": "SiglipVision", "vit": "ViT",
    "xlm-roberta": "XLMRoberta",
    "bart": "Bart", "marian": "Marian", "mbart": "MBart", "mt5": "MT5",
    "pegasus": "Pegasus", "t5": "T5", "umt5": "UMT5", "whisper": "Whisper",
    "convnext": "ConvNext", "convnextv2": "ConvNextV2", "hubert": "Hubert",
    "resnet": "ResNet", "segformer": "Segformer", "swin": "Swin",
    "wav2vec2": "Wav2Vec2",
}
# Where the class is not called by its family and task.
KINDS = {("whisper", "automatic-speech-recognition"):
         "WhisperForConditionalGeneration",
         ("whisper", "audio-classification"): "WhisperForAudioClassification"}
# The fixture whose configuration and cases are changed, if not FAMILY-base.
BASES = {
    "beit": "beit-image-classification", "clip": "clip",
    "clip_text_model": "clip-text", "clip_vision_model": "clip-vision",
    "deberta": "deberta-v2-base", "deit": "deit-image-classification",
    "dinov2_with_registers": "dinov2-base", "gemma": "gemma",
    "gpt_neox": "llama", "llama": "llama", "mistral": "mistral",
    "phi": "llama", "phi3": "llama", "qwen2": "qwen2", "qwen3": "qwen3",
    "siglip": "clip", "siglip_text_model": "clip-text",
    "siglip_vision_model": "clip-vision",
    "bart": "bart", "marian": "marian", "mbart": "mbart",
    "mt5": "t5-v1_1-gated", "pegasus": "marian", "t5": "t5",
    "umt5": "t5-v1_1-gated", "whisper": "whisper",
    "convnext": "convnext-image-classification",
    "convnextv2": "convnext-image-classification", "resnet": "resnet-basic",
    "segformer": "segformer-segmentation", "swin": "swin-image-classification",
}
# Of these images of another size than the first case's are for the plain form.
ANY_SIZE = ("dinov2-base",)
# Of these the text is not masked.
UNMASKED = ("siglip", "siglip_text_model")
SPEECH = {"feat_extract_norm": "layer", "do_stable_layer_norm": True,
          "feat_extract_activation": "relu", "hidden_act": "silu",
          "layer_norm_eps": 1e-2, "num_conv_pos_embeddings": 7,
          "num_conv_pos_embedding_groups": 2, "num_attention_heads": 2,
          "conv_dim": [8, 12], "conv_kernel": [20, 9],
          "conv_stride": [16, 8], "num_feat_extract_layers": 2}
DEBERTA = {"model_type": "deberta", "type_vocab_size": 0}
NEOX = {"model_type": "gpt_neox", "hidden_act": "gelu",
        "attention_bias": True}
PHI = {"model_type": "phi", "hidden_act": "gelu_new"}
PHI3 = {"model_type": "phi3", "rms_norm_eps": 1e-5}
YARN = {"rope_type": "yarn", "factor": 4.0, "beta_fast": 2.0,
        "beta_slow": 0.125, "original_max_position_embeddings": 16}

PEGASUS = {"model_type": "pegasus", "activation_function": "relu",
           "pad_token_id": 0, "eos_token_id": 1, "forced_eos_token_id": 1,
           "decoder_start_token_id": 0}
# Sizes of the decoder that are not the encoder's.
UNLIKE = {"activation_function": "relu", "decoder_layers": 1,
          "decoder_attention_heads": 2, "decoder_ffn_dim": 48}
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 20,
        "vocab_size": 100, "hidden_act": "gelu", "layer_norm_eps": 1e-3}
IMAGES = {"hidden_size": 48, "intermediate_size": 40, "num_hidden_layers": 2,
          "num_attention_heads": 3, "image_size": 38, "patch_size": 8,
          "hidden_act": "relu", "layer_norm_eps": 1e-3}
SIGLIP = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6}

# Name, family, task, changes to the configuration of the family's base; then
# what cases there are instead of the base's: the shape of each input; and
# tensors that the library would leave out, as tied.
TABLE = [
    ("albert-question-answering", "albert", "question-answering", {}),
    ("albert-token-classification", "albert", "token-classification", LABELS),
    ("albert-groups", "albert", "feature-extraction",
     {"num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2}),
    ("albert-unusual", "albert", "fill-mask", UNUSUAL),
    ("beit-features", "beit", "image-feature-extraction",
     {"use_relative_position_bias": True, "layer_norm_eps": 1e-3,
      "hidden_act": "relu"}),
    ("beit-shared", "beit", "image-feature-extraction",
     {"use_relative_position_bias": False, "image_size": [42, 40],
      "use_shared_relative_position_bias": True, "use_mean_pooling": False,
      "use_absolute_position_embeddings": True, "use_mask_token": True,
      "layer_scale_init_value": 0.0}, [[[2, 3, 42, 40]]]),
    ("beit-first-token", "beit", "image-classification",
     {"use_mean_pooling": False, "use_relative_position_bias": False,
      **LABELS}),
    ("bart-text-classification", "bart", "text-classification", LABELS),
    ("bart-unlike", "bart", "summarization",
     {**UNLIKE, "scale_embedding": True}),
    ("bart-untied", "bart", "text2text-generation",
     {"tie_word_embeddings": False}),
    ("bert-unusual", "bert", "fill-mask", UNUSUAL),
    ("bert-untied", "bert", "fill-mask", {"tie_word_embeddings": False}),
    ("camembert-question-answering", "camembert", "question-answering", {}),
    ("camembert-text-classification", "camembert", "text-classification",
     LABELS),
    ("camembert-token-classification", "camembert", "token-classification",
     LABELS),
    ("clip-image-classification", "clip", "image-classification", LABELS,
     [[[2, 3, 32, 32]]]),
    ("clip-text-pooled", "clip_text_model", "feature-extraction",
     {"eos_token_id": 99, "architectures": ["CLIPTextModel"]}),
    ("clip-unusual", "clip", "zero-shot-image-classification",
     {"text_config": {**TEXT, "eos_token_id": 6},
      "vision_config": {"hidden_act": "quick_gelu"},
      "vision_config_dict": IMAGES},
     [[[2, 9], [2, 9], [3, 3, 38, 38]]]),
    ("clip-vision-pooled", "clip_vision_model", "image-feature-extraction",
     {"hidden_act": "gelu", "layer_norm_eps": 1e-3,
      "architectures": ["CLIPVisionModel"]}),
    ("convnext-unusual", "convnext", "image-feature-extraction",
     {"depths": [1, 2], "hidden_sizes": [8, 12], "num_stages": 2,
      "hidden_act": "relu", "layer_scale_init_value": 0.0, "patch_size": 3,
      "layer_norm_eps": 1e-2, "num_channels": 1, "out_features": ["stage2"],
      "out_indices": [2]}, [[[2, 1, 45, 70]], [[1, 1, 31, 33]]]),
    ("convnextv2-base", "convnextv2", "image-feature-extraction",
     {"model_type": "convnextv2"}),
    ("convnextv2-image-classification", "convnextv2", "image-classification",
     {"model_type": "convnextv2", "hidden_act": "relu",
      "layer_norm_eps": 1e-2, "depths": [2, 1], "hidden_sizes": [8, 12],
      "num_stages": 2, "out_features": ["stage2"], "out_indices": [2],
      **LABELS}, [[[2, 3, 45, 70]]]),
    ("deberta-base", "deberta", "feature-extraction", DEBERTA),
    ("deberta-far", "deberta", "question-answering",
     {**DEBERTA, "max_relative_positions": 6, "pos_att_type": "c2p|p2c",
      "position_biased_input": True, "layer_norm_eps": 1e-3}),
    ("deberta-fill-mask", "deberta", "fill-mask",
     {**DEBERTA, "embedding_size": 32, "pos_att_type": ["p2c"]}),
    ("deberta-text-classification", "deberta", "text-classification",
     {**DEBERTA, **LABELS, "pooler_hidden_act": "tanh",
      "pos_att_type": ["c2p"]}),
    ("deberta-v2-absolute", "deberta-v2", "feature-extraction",
     {"position_biased_input": True, "relative_attention": False}),
    ("deberta-v2-conv", "deberta-v2", "token-classification",
     {**LABELS, "conv_kernel_size": 3, "conv_act": "gelu"}),
    ("deberta-v2-conv-grouped", "deberta-v2", "feature-extraction",
     {"conv_kernel_size": 5, "conv_groups": 4, "layer_norm_eps": 1e-3}),
    ("deberta-v2-fill-mask", "deberta-v2", "fill-mask",
     {"embedding_size": 32, "hidden_act": "relu"}),
    ("deberta-v2-new-fill-mask", "deberta-v2", "fill-mask",
     {"legacy": False}),
    ("deberta-v2-unshared", "deberta-v2", "question-answering",
     {"share_att_key": False, "norm_rel_ebd": "none", "position_buckets": -1,
      "max_relative_positions": 6}),
    ("deit-unusual", "deit", "image-feature-extraction",
     {"hidden_act": "relu", "layer_norm_eps": 1e-3, "image_size": [26, 40],
      "pooler_act": "gelu", "pooler_output_size": 20},
     [[[2, 3, 26, 40]]]),
    ("dinov2-sizes", "dinov2", "image-feature-extraction", {},
     [[[2, 3, 32, 32]], [[2, 3, 24, 56]], [[1, 3, 71, 40]]]),
    ("dinov2-swiglu", "dinov2", "image-classification",
     {"use_swiglu_ffn": True, "mlp_ratio": 3, "hidden_act": "relu",
      "qkv_bias": False, "layer_norm_eps": 1e-3, "layerscale_value": 0.1,
      **LABELS}, [[[2, 3, 32, 32]], [[2, 3, 56, 16]]]),
    ("dinov2-registers", "dinov2_with_registers", "image-feature-extraction",
     {"model_type": "dinov2_with_registers", "num_register_tokens": 3},
     [[[2, 3, 32, 32]], [[2, 3, 24, 56]], [[1, 3, 17, 71]]]),
    ("dinov2-registers-image-classification", "dinov2_with_registers",
     "image-classification",
     {"model_type": "dinov2_with_registers", "num_register_tokens": 1,
      "image_size": 64, **LABELS}, [[[2, 3, 64, 64]], [[2, 3, 24, 40]]]),
    ("distilbert-token-classification", "distilbert", "token-classification",
     LABELS),
    ("distilbert-unusual", "distilbert", "fill-mask",
     {"activation": "relu", "layer_norm_eps": 1e-3}),
    ("electra-fill-mask", "electra", "fill-mask", {}),
    ("electra-token-classification", "electra", "token-classification",
     LABELS),
    ("electra-unprojected", "electra", "feature-extraction",
     {"embedding_size": 48}),
    ("electra-unusual", "electra", "fill-mask", UNUSUAL),
    ("electra-unusual-classes", "electra", "text-classification",
     {**UNUSUAL, **LABELS}),
    ("electra-unusual-discriminator", "electra", "pretraining", UNUSUAL),
    ("gemma-features", "gemma", "feature-extraction", {}),
    ("gemma-unusual", "gemma", "text-generation",
     {"hidden_act": "gelu", "attention_bias": True, "rms_norm_eps": 1e-3,
      "tie_word_embeddings": False, "rope_theta": 100.0}),
    ("hubert-audio-classification", "hubert", "audio-classification",
     {"feat_proj_layer_norm": False, "conv_pos_batch_norm": True,
      "classifier_proj_size": 12, **LABELS}),
    ("hubert-stable", "hubert", "audio-classification",
     {**SPEECH, "classifier_proj_size": 12, **LABELS}),
    ("llama-biases", "llama", "text-generation",
     {"attention_bias": True, "mlp_bias": True, "hidden_act": "gelu",
      "rms_norm_eps": 1e-3, "num_key_value_heads": None, "head_dim": 12}),
    ("llama-dynamic", "llama", "text-generation",
     {"rope_scaling": {"type": "dynamic", "factor": 2.0},
      "max_position_embeddings": 12}),
    ("llama-features", "llama", "feature-extraction", {}),
    ("llama-linear", "llama", "text-generation",
     {"rope_scaling": {"type": "linear", "factor": 2.5},
      "rope_theta": 100.0}),
    ("llama-llama3", "llama", "text-generation",
     {"rope_theta": None, "rope_parameters": {
         "rope_type": "llama3", "rope_theta": 50.0, "factor": 8.0,
         "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 16}}),
    ("llama-yarn", "llama", "text-generation",
     {"rope_theta": 50.0, "rope_scaling": YARN}),
    ("llama-yarn-scaled", "llama", "text-generation",
     {"rope_theta": None, "rope_parameters": {
         **YARN, "rope_theta": 50.0, "mscale": 0.7, "mscale_all_dim": 1.5,
         "truncate": False}}),
    ("marian-features", "marian", "feature-extraction", UNLIKE),
    ("marian-unshared", "marian", "translation",
     {"architectures": ["MarianMTModel"], "decoder_vocab_size": 120,
      "share_encoder_decoder_embeddings": False}),
    ("mbart-features", "mbart", "feature-extraction",
     {**UNLIKE, "scale_embedding": False}),
    ("mistral-window", "mistral", "text-generation", {"sliding_window": 3}),
    ("gpt-neox", "gpt_neox", "text-generation",
     {**NEOX, "rotary_pct": 0.5, "rotary_emb_base": 10000}),
    ("gpt-neox-serial", "gpt_neox", "text-generation",
     {**NEOX, "use_parallel_residual": False, "attention_bias": False,
      "rotary_pct": 1.0, "rotary_emb_base": 500, "rope_theta": 500,
      "layer_norm_eps": 1e-3, "hidden_act": "relu"}),
    ("mpnet-question-answering", "mpnet", "question-answering", {}),
    ("mpnet-token-classification", "mpnet", "token-classification", LABELS),
    ("mpnet-unusual", "mpnet", "fill-mask", UNUSUAL),
    ("mt5", "mt5", "text2text-generation",
     {"model_type": "mt5", "tie_word_embeddings": False, "d_kv": 6}, None,
     {"lm_head.weight": [100, 32]}),
    ("pegasus", "pegasus", "summarization", PEGASUS),
    ("pegasus-features", "pegasus", "feature-extraction",
     {**PEGASUS, **UNLIKE, "scale_embedding": False}),
    ("phi3", "phi3", "text-generation", PHI3),
    ("phi3-features", "phi3", "feature-extraction",
     {**PHI3, "sliding_window": 2, "rope_theta": 50.0}),
    ("phi3-long", "phi3", "text-generation",
     {**PHI3, "original_max_position_embeddings": 8,
      "partial_rotary_factor": 0.75, "tie_word_embeddings": True,
      "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.3],
                       "long_factor": [1.0, 2.5, 4.0]}}),
    ("phi3-su", "phi3", "text-generation",
     {**PHI3, "sliding_window": 4, "rope_theta": 50.0,
      "original_max_position_embeddings": 32,
      "rope_scaling": {"type": "su", "short_factor": [1.0, 1.1, 1.3, 1.5],
                       "long_factor": [1.0, 2.5, 4.0, 6.0],
                       "original_max_position_embeddings": 32}}),
    ("qwen2-layer-types", "qwen2", "text-generation",
     {"use_sliding_window": True, "sliding_window": 3,
      "layer_types": ["sliding_attention", "full_attention"]}),
    ("qwen2-window", "qwen2", "text-generation",
     {"use_sliding_window": True, "sliding_window": 3,
      "max_window_layers": 1, "layer_types": None,
      "tie_word_embeddings": False}),
    ("qwen3-unusual", "qwen3", "text-generation",
     {"use_sliding_window": True, "sliding_window": 2,
      "max_window_layers": 0, "layer_types": None, "attention_bias": True,
      "tie_word_embeddings": True, "rms_norm_eps": 1e-3}),
    ("phi", "phi", "text-generation", {**PHI, "partial_rotary_factor": 0.5}),
    ("phi-norms", "phi", "text-generation",
     {**PHI, "qk_layernorm": True, "partial_rotary_factor": 0.25,
      "num_key_value_heads": None, "layer_norm_eps": 1e-3,
      "hidden_act": "relu", "rope_theta": 500.0}),
    ("resnet-halving", "resnet", "image-classification",
     {"layer_type": "bottleneck", "downsample_in_first_stage": True,
      "downsample_in_bottleneck": True, "hidden_act": "silu",
      "num_channels": 1, **LABELS}, [[[2, 1, 71, 40]]]),
    ("resnet-odd-sizes", "resnet", "image-feature-extraction",
     {"depths": [2, 1], "hidden_sizes": [8, 12], "out_features": ["stage2"],
      "out_indices": [2]},
     [[[2, 3, 45, 70]], [[1, 3, 31, 33]]]),
    ("roberta-other-pad", "roberta", "feature-extraction",
     {"pad_token_id": 6}),
    ("roberta-token-classification", "roberta", "token-classification",
     LABELS),
    ("roberta-unusual", "roberta", "fill-mask", UNUSUAL),
    ("segformer-unusual", "segformer", "image-segmentation",
     {"depths": [2, 1], "hidden_sizes": [8, 12], "num_encoder_blocks": 2,
      "num_attention_heads": [2, 3], "mlp_ratios": [3, 2],
      "sr_ratios": [2, 3], "patch_sizes": [5, 3], "strides": [3, 2],
      "hidden_act": "relu", "decoder_hidden_size": 10, "num_channels": 1,
      **LABELS}, [[[2, 1, 70, 45]], [[1, 1, 31, 52]]]),
    ("segformer-image-classification", "segformer", "image-classification",
     {"num_attention_heads": [2, 4, 6, 8], **LABELS}, [[[1, 3, 70, 45]]]),
    ("segformer-base", "segformer", "image-feature-extraction", {}),
    ("segformer-rows", "segformer", "image-feature-extraction",
     {"reshape_last_stage": False}),
    ("siglip", "siglip", "zero-shot-image-classification",
     {"model_type": "siglip", "text_config": {**TEXT, **SIGLIP},
      "vision_config": {**IMAGES, **SIGLIP, "hidden_size": 32,
                        "num_attention_heads": 4, "image_size": 32}}),
    ("siglip-image-classification", "siglip", "image-classification",
     {"model_type": "siglip", "text_config": TEXT, "vision_config": IMAGES,
      **LABELS}, [[[2, 3, 38, 38]]]),
    ("siglip-text", "siglip_text_model", "feature-extraction",
     {**SIGLIP, "model_type": "siglip_text_model", "projection_size": 24}),
    ("siglip-unusual", "siglip", "zero-shot-image-classification",
     {"model_type": "siglip", "text_config": {**TEXT, "projection_size": 48},
      "vision_config": IMAGES}, [[[2, 9], [3, 3, 38, 38]]]),
    ("siglip-vision", "siglip_vision_model", "image-feature-extraction",
     {**SIGLIP, "model_type": "siglip_vision_model"}),
    ("siglip-vision-headless", "siglip_vision_model",
     "image-feature-extraction",
     {"model_type": "siglip_vision_model", "vision_use_head": False}),
    ("swin-absolute", "swin", "image-classification",
     {"use_absolute_embeddings": True, "qkv_bias": False, "mlp_ratio": 2.5,
      "hidden_act": "relu", "layer_norm_eps": 1e-2, "num_channels": 1,
      "image_size": [24, 36], "patch_size": [4, 6], "window_size": 3,
      **LABELS}, [[[2, 1, 24, 36]]]),
    ("swin-filled", "swin", "image-feature-extraction",
     {"image_size": [50, 38], "window_size": 3, "depths": [2, 2, 1],
      "num_heads": [1, 2, 4], "embed_dim": 8, "out_features": ["stage3"],
      "out_indices": [3]}, [[[2, 3, 50, 38]]]),
    ("vit-unusual", "vit", "image-feature-extraction",
     {"hidden_act": "relu", "layer_norm_eps": 1e-3, "qkv_bias": False,
      "image_size": [26, 40], "patch_size": [8, 4], "num_channels": 1,
      "pooler_act": "relu", "pooler_output_size": 20},
     [[[2, 1, 26, 40]], [[1, 1, 26, 40]]]),
    ("t5-features", "t5", "feature-extraction",
     {"layer_norm_epsilon": 1e-2, "feed_forward_proj": "gated-silu",
      "dense_act_fn": "silu", "is_gated_act": True}),
    ("t5-long", "t5", "text2text-generation",
     {"d_kv": 12, "num_decoder_layers": 1,
      "relative_attention_num_buckets": 16,
      "relative_attention_max_distance": 48},
     [[[2, 9], [2, 9], [2, 5]], [[2, 70], [2, 70], [2, 60]]]),
    ("t5-untied", "t5", "text2text-generation",
     {"scale_decoder_outputs": False}, None,
     {"lm_head.weight": [100, 32]}),
    ("umt5", "umt5", "text2text-generation",
     {"model_type": "umt5", "tie_word_embeddings": False}, None,
     {"lm_head.weight": [100, 32]}),
    ("whisper-audio-classification", "whisper", "audio-classification",
     {**LABELS, "classifier_proj_size": 12}),
    ("whisper-features", "whisper", "feature-extraction", UNLIKE),
    ("whisper-untied", "whisper", "automatic-speech-recognition",
     {"tie_word_embeddings": False}),
    ("wav2vec2-audio-classification", "wav2vec2", "audio-classification",
     {"use_weighted_layer_sum": True, "classifier_proj_size": 12, **LABELS}),
    ("wav2vec2-adapted", "wav2vec2", "automatic-speech-recognition",
     {**SPEECH, "adapter_attn_dim": 8, "conv_bias": True}),
    ("xlm-roberta-fill-mask", "xlm-roberta", "fill-mask", {}),
    ("xlm-roberta-question-answering", "xlm-roberta", "question-answering",
     {}),
    ("xlm-roberta-text-classification", "xlm-roberta", "text-classification",
     LABELS),
]
ACTIVATIONS = ["gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new",
               "gelu_python", "gelu_python_tanh", "gelu_pytorch_tanh",
               "linear", "mish", "quick_gelu", "relu", "relu2", "relu6",
               "sigmoid", "silu", "swish", "tanh"]


def spread(name, shape):
    """Scale and offset that keep values of every layer near 1."""
    if "running_var" in name:
        return 0.3, 1.0
    module = "".join(name.split(".")[-2:-1])
    if "layernorm" in name.lower() or "layer_norm" in name \
            or "norm" in module or "downsampling_layer.0" in name:
        return (0.15, 1.0) if name.endswith("weight") else (0.1, 0.0)
    if name.endswith(("weight_g", "weight.original0", "layer_scale_parameter",
                      "layer_weights")):
        return 0.3, 0.7
    if name.endswith("logit_scale"):
        return 0.133, 2.66
    if name.endswith(("lambda1", "lambda_1", "lambda_2")):
        return 0.3, 0.7
    if name.endswith(("_token", "_tokens", "probe", "class_embedding",
                      "position_embeddings")):
        return 0.5, 0.0
    if name.endswith("bias_table"):
        return 1.0, 0.0
    if len(shape) == 1:
        return 0.15, 0.0
    if len(shape) > 2:
        return round((3 / math.prod(shape[1:])) ** 0.5, 3), 0.0
    if "embeddings." in name or "embed_" in name or "shared." in name:
        return 0.8, 0.0
    if "relative_attention_bias" in name:
        return 1.0, 0.0
    scale = (3 / shape[-1]) ** 0.5
    looks = any(part in name for part in
                ("query", "key", ".q.", ".k.", "q_lin", "k_lin", "q_proj",
                 "k_proj", "qkv_proj"))
    return round(scale * (2 if looks else 1), 3), 0.0


def tensors_of(model, added):
    """The tensors that the library saves, and @added, with values of the
    rule."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        heads = SafetensorsFile(folder + "/model.safetensors").tensors
    for name, shape in added.items():
        heads[name] = {"shape": shape, "dtype": "F32"}
    found = []
    for name in sorted(heads):
        shape, dtype = heads[name]["shape"], heads[name]["dtype"]
        scale, offset = spread(name, shape) if dtype == "F32" else (0.0, 0.0)
        found.append({"name": name, "shape": shape, "dtype": dtype,
                      "scale": scale, "offset": offset})
    return found


def encoded(inputs):
    """What an encoder gave a decoder that has a text of its own."""
    if "decoder_input_ids" in inputs:
        yield "encoder_last_hidden_state"


def run(model, case):
    import torch

    inputs = {entry["name"]: torch.tensor(synth_rule.input_array(entry))
              for entry in case["inputs"]}
    inputs = {name: value.to(model.dtype) if value.is_floating_point()
              else value for name, value in inputs.items()}
    with torch.no_grad():
        got = model(**inputs)
    return {name: got[name].numpy()
            for name in ("last_hidden_state", "pooler_output", "logits",
                         "start_logits", "end_logits", "logits_per_image",
                         "logits_per_text", "text_embeds", "image_embeds",
                         *encoded(inputs))
            if got.get(name) is not None}


def mask_of(case):
    """The name and values of what tells which tokens of a decoder count."""
    names = {each["compare_where"] for each in case.get("outputs", ())
             if "compare_where" in each}
    for entry in case["inputs"]:
        if entry["name"] in names:
            return entry["name"], synth_rule.input_array(entry)
    return None, None


def outputs_of(model, cases):
    """The cases with outputs, and these; tolerances by the library's noise."""
    expected, judged = {}, []
    got = [run(model, case) for case in cases]
    exact = [run(model.double(), case) for case in cases]
    for number, case in enumerate(cases):
        outputs = []
        mask_name, mask = mask_of(case)
        for name, value in got[number].items():
            key = name if number == 0 else "%s@%d" % (name, number)
            noise = np.abs(value - exact[number][name]).max()
            atol = max(1.2e-5 * value.std(), 10 * noise)
            outputs.append({"name": name, "shape": list(value.shape),
                            "key": key, "atol": float("%.2g" % atol),
                            "rtol": 1e-5})
            expected[key] = value
            if mask_name and value.shape[:2] == mask.shape:
                outputs[-1]["compare_where"] = mask_name
                expected[key] = value * mask[..., None].astype(value.dtype)
        judged.append({**case, "outputs": outputs})
    return judged, expected


def cases_of(base, shapes, without):
    """Those of the base fixture, or of its inputs in other shapes."""
    cases = [dict(case, inputs=[entry for entry in case["inputs"]
                                if entry["name"] not in without])
             for case in judge.cases(synth.load_spec(base))]
    if not shapes:
        return cases
    cases = [{"inputs": [shaped(entry, shape, number)
                         for entry, shape in zip(cases[0]["inputs"], each)]}
             for number, each in enumerate(shapes)]
    for case in cases[1:]:
        if base.name in ANY_SIZE:
            case["plain_only"] = True
    return cases


def in_rows(entry, shape):
    """Other ids, or a mask that hides the end of the last row."""
    count = math.prod(shape)
    if entry["name"] == "attention_mask":
        values = [int(i < count - 9) for i in range(count)]
    else:
        values = [3 + (7 * i * i + 5 * i) % 95 for i in range(count)]
    return dict(entry, shape=shape, values=values)


def ended(case, end):
    """Each text begins and ends with @end."""
    ids, mask = case["inputs"]
    width, values = ids["shape"][1], list(ids["values"])
    for row in range(0, len(values), width):
        seen = sum(mask["values"][row:row + width])
        values[row] = values[row + seen - 1] = end
    return dict(case, inputs=[dict(ids, values=values), mask])


def shaped(entry, shape, number):
    """The input in another shape."""
    if entry["shape"] == shape and "values" in entry:
        return entry
    if "seed" not in entry:
        return in_rows(entry, shape)
    seed = "%s#%d" % (entry["seed"].split("#")[0], number)
    return dict(entry, shape=shape, seed=seed)


def without(family, task):
    """The base's inputs that this model does not take."""
    if task == "image-classification":
        return {"input_ids", "attention_mask"}
    if task in ("audio-classification", "text-classification"):
        return {"decoder_input_ids"}
    return {"attention_mask"} if family in UNMASKED else set()


def make(name, family, task, changes, shapes=None, added={}):
    import transformers

    base = FIXTURES / BASES.get(family, family + "-base")
    folder = FIXTURES / name
    folder.mkdir(exist_ok=True)
    kind = KINDS.get((family, task)) or CLASSES[family] + ENDS[task]
    kind = getattr(transformers, changes.get("architectures", [kind])[0])
    config = json.loads((base / "config.json").read_text())
    config |= {"architectures": [kind.__name__],
               "transformers_version": transformers.__version__, **changes}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    settings = kind.config_class.from_pretrained(folder)
    spec = {"library": "transformers %s %s" % (transformers.__version__,
                                               kind.__name__),
            "family": family, "task": task, "compute": "float32",
            "files": [{"file": "model.safetensors",
                       "container": "safetensors", "tensors": "*"}],
            "tensors": tensors_of(kind(settings), added)}
    cases = cases_of(base, shapes, without(family, task))
    if family == "bart" and task == "text-classification":
        cases = [ended(case, config["eos_token_id"]) for case in cases]
    with tempfile.TemporaryDirectory() as repository:
        synth.write_repository(spec, folder, repository)
        model = kind.from_pretrained(repository, dtype="float32",
                                     attn_implementation="eager").eval()
        judged, expected = outputs_of(model, cases)
    spec |= judged[0] | {"extra_cases": judged[1:]}
    (folder / "spec.json").write_text(json.dumps(spec) + "\n")
    np.savez_compressed(folder / "expected.npz", **expected)


def make_activations():
    import torch
    from transformers.activations import ACT2FN

    x = np.concatenate([np.linspace(-12, 12, 481), [-1e4, -100, 100, 1e4]])
    x = x.astype(np.float32)
    kept = {name: ACT2FN[name](torch.tensor(x)).numpy()
            for name in ACTIVATIONS}
    np.savez_compressed(FIXTURES.parent / "activations.npz", x=x, **kept)


def main(names):
    unknown = set(names) - {line[0] for line in TABLE}
    if unknown:
        sys.exit("not in the table: %s" % ", ".join(sorted(unknown)))
    for line in TABLE:
        if not names or line[0] in names:
            make(*line)
    make_activations()


if __name__ == "__main__":
    main([pathlib.Path(name).name for name in sys.argv[1:]])
