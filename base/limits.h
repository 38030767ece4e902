/* SPDX-License-Identifier: MIT */
/*
 * base/limits.h - every bound in the program, and why it has that value.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Names and trees */
#define NAME_BYTES_MAX 255     /* NAME_MAX of Linux */
#define PATH_BYTES_MAX 4096    /* PATH_MAX of Linux */
#define PATH_DEPTH_MAX 128     /* deeper repositories are hostile */
#define REPO_ID_BYTES_MAX 200  /* two parts of 96, the hub's own limit */
#define REVISION_BYTES_MAX 255 /* longest branch git accepts in one file name */
#define REPO_FILES_MAX \
	((size_t)1 << 20)   /* ten times the largest repository surveyed */
#define TREE_PAGES_MAX 2000 /* of 1000 entries: REPO_FILES_MAX and spare */

/* Hubs */
#define REPO_PART_BYTES_MAX 96 /* of an id: the hub's own limit */
#define FILE_BYTES_MAX \
	((uint64_t)1 << 50) /* 1 PiB: 10,000 times the largest surveyed */
#define HUB_ENTRIES_MAX ((size_t)1 << 16) /* ten times the largest author */
#define HUB_LIST_PAGES_MAX 5 /* 5000 models: more is no help to "ls" */
#define HUB_USED_MAX 4096    /* models remembered as used: 200 KiB */
#define HUB_REFRESH_S 3 /* a stale answer waits no longer for a fresh one */
#define HUB_MISSING_TTL_S 30 /* a model may appear: ask again soon */
#define HUB_TOP_TTL_S 86400  /* the most downloaded change by the week */
#define HUB_TOP_COUNT 100    /* one page of one request */
#define CATALOGUE_BYTES_MAX ((size_t)16 << 20) /* timm's: 0.2 MiB */
#define CATALOGUE_COLUMNS_MAX 64	       /* the widest has 14 */
#define REPO_FACTS_BYTES_MAX ((size_t)1 << 20) /* the zoo's: 2 KiB */
#define WEB_CANDIDATES_MAX 8 /* places that may have one file: the zoo's 4 */
#define WEB_FACT_BYTES_MAX ((size_t)64 << 10) /* headers bound its texts */
#define WEB_TTL_S (30 * 86400)	     /* such files have not changed for years */
#define KAGGLE_VERSION_MAX 999999999 /* versions of a variation: tens seen */
#define KAGGLE_PAGES_MAX 400 /* of 25 files: ten times the largest model */
#define KAGGLE_FACT_BYTES_MAX ((size_t)4 << 20) /* a listing: 10,000 files */
#define REPOS_OPEN_MAX 64 /* kept in memory: 10 KiB each at the median */

/* JSON */
#define JSON_DEPTH_MAX 64		  /* deepest hub answer surveyed: 9 */
#define JSON_VALUES_MAX ((size_t)4 << 20) /* 80 bytes each in cJSON: 320 MiB */
#define JSON_NUMBER_BYTES_MAX 63 /* a double needs 24; more is hostile */
#define HUB_JSON_BYTES_MAX \
	((size_t)16 << 20) /* a page of 1000 entries: 0.4 MiB */
#define CONFIG_BYTES_MAX \
	((size_t)4 << 20) /* largest config.json surveyed: 0.2 MiB */

/* Weights */
#define SAFETENSORS_HEADER_MAX ((size_t)100000000) /* the format's own limit */
#define TENSORS_MAX ((size_t)1 << 20) /* largest checkpoint surveyed: 60,000 */
#define TENSOR_RANK_MAX 8	      /* torch models use at most 6 */
#define TENSOR_NAME_MAX 1024	      /* longest surveyed: 140 */
#define NAME_PARTS_MAX 64	      /* of a tensor's name; most seen: 12 */
#define WEIGHT_FILES_MAX 1024	      /* largest sharding surveyed: 191 */
#define FLAX_DEPTH_MAX 32	 /* maps in maps; deepest model surveyed: 9 */
#define FLAX_HEAD_BYTES_MAX 4096 /* a key of TENSOR_NAME_MAX, 8 axes, spare */
#define FLAX_PIECES_MAX 16384	 /* as HDF5_PIECES_MAX; BERT's file: 80 */
#define FLAX_STEPS_MAX (2 * TENSORS_MAX)    /* a map for each array */
#define PICKLE_BYTES_MAX ((size_t)64 << 20) /* 60,000 tensors take 9 MiB */
#define PICKLE_DEPTH_MAX 1000
#define PICKLE_NODES_MAX ((size_t)4 << 20)
#define TORCH_LEGACY_HEAD_MAX (3 * PICKLE_BYTES_MAX) /* object, keys, spare */
#define SHARD_INDEX_BYTES_MAX ((size_t)64 << 20)     /* 60,000 names: 6 MiB */
#define HEAD_FETCH_BYTES ((size_t)64 << 10) /* a block: most headers fit */
#define PICKLE_MARKS_MAX 1000 /* nested containers: torch nests 6 */
#define PICKLE_GLOBAL_MAX 256 /* module or name: longest allowed is 36 */
#define ZIP_TAIL_BYTES ((size_t)64 << 10) /* end records and a short comment */
#define ZIP_DIRECTORY_MAX ((size_t)96 << 20) /* ZIP_ENTRIES_MAX of 90 bytes */
#define ZIP_LOCALS_MAX 4096 /* local headers worth a request each */
#define ZIP_ENTRIES_MAX ((size_t)1 << 20)	  /* one for each storage */
#define BUNDLE_INDEX_BYTES_MAX ((size_t)64 << 20) /* 60,000 names: 6 MiB */
#define BUNDLE_BLOCK_BYTES_MAX ((size_t)16 << 20) /* TensorFlow's: 256 KiB */
#define BUNDLE_KEY_BYTES_MAX ((size_t)4 << 10) /* escaped name, and a slice */
#define BUNDLE_NAMES_BYTES_MAX ((size_t)128 << 20) /* of all keys, unpacked */
#define BUNDLE_SHARDS_MAX 4096		    /* one a worker; most surveyed: 3 */
#define BUNDLE_SLICES_MAX ((size_t)1 << 16) /* of all tensors */
#define BUNDLE_PARTS_MAX 1024 /* of one tensor: each is held against each */
#define HDF5_PIECES_KEPT 32   /* of HEAD_FETCH_BYTES in memory: 2 MiB */
#define HDF5_PIECES_MAX 16384 /* got for one file; NASNetMobile needs 400 */
#define HDF5_WORK_MAX \
	((uint64_t)256 << 20)	/* bytes of headers; NASNetMobile: 6 MiB */
#define HDF5_READ_WORK 64	/* what a read costs beside its bytes */
#define HDF5_BLOCKS_MAX 256	/* continuations of an object header */
#define HDF5_TREE_LEVELS_MAX 16 /* of 2 children and more: 65,536 nodes */
#define HDF5_RANK_MAX 32	/* the format's own limit */
#define HDF5_NODE_K_MAX 1024	/* of files written on to; usual are 4 and 16 */
#define HDF5_NAMES_MAX ((size_t)1 << 16) /* largest model surveyed: 1,100 */
#define KERAS_CONFIG_BYTES_MAX \
	((size_t)8 << 20) /* a graph as Keras' JSON; NASNetLarge's: 0.6 MiB */

/* TensorFlow's graphs */
#define SAVED_MODEL_BYTES_MAX \
	((size_t)512 << 20) /* without variables: 0.1 to 3 MiB surveyed */
#define OP_PORTS_MAX ((size_t)1 << 16) /* outputs of a node; hundreds seen */
#define NODE_NAME_BYTES_MAX 8192 /* with the names of all scopes: 250 seen */
#define FUNCTION_DEPTH_MAX 128	 /* calls within calls; deepest surveyed: 10 */
#define FREEZE_SCOPES_MAX (1u << 18) /* calls after inlining */
#define FREEZE_FUNCTIONS_MAX \
	((size_t)1 << 16) /* of a library, or operations: 2,000 surveyed */
#define FREEZE_STEPS_MAX \
	((uint64_t)1 << 25) /* edges followed: 5 s; a deep network's 100,000 */
#define FREEZE_MEMORY_MIN ((size_t)64 << 20) /* for what a node needs ... */
#define FREEZE_MEMORY_FACTOR 32 /* ... and for each byte of the file */
#define FREEZE_SPLICE_BYTES ((size_t)4 << 10) /* shorter values are copied */
#define FREEZE_FLUSH_BYTES ((size_t)1 << 20)  /* nodes gathered for a plan */
#define STRING_VARIABLE_BYTES_MAX \
	((size_t)1 << 20) /* read whole: vocabularies of 100,000 words */

/* Staged files */
#define STAGED_INLINE_MAX 2147483647ULL	       /* protobuf's largest message */
#define PLAN_BYTES_MAX ((size_t)256 << 20)     /* generated bytes of one plan */
#define PLAN_SEGMENTS_MAX (4 * TENSORS_MAX)    /* head and range of each */
#define PLAN_ENCODED_MAX ((size_t)512 << 20)   /* the two above and paths */
#define STAGED_BYTES_MAX ((uint64_t)INT64_MAX) /* what off_t can say */
#define REASON_BYTES_MAX ((size_t)1 << 10)     /* a sentence for people */
#define STAGE_INFO_BYTES_MAX ((size_t)8 << 20) /* names of many labels */
#define STAGE_MEMO_BYTES_MAX \
	((size_t)16 << 20) /* a listing kept across mounts; BERT's: 0.1 MiB */
#define GRAPH_NODES_MAX ((size_t)1 << 20)
#define MODEL_NODES_MAX \
	((size_t)1 << 17)    /* 48 layers of 16 heads, each by itself: 15,000 */
#define MODEL_LAYERS_MAX 192 /* deepest transformer surveyed: 126 */
#define MODEL_HEADS_MAX 128  /* most heads surveyed: 128 */
#define MODEL_STAGES_MAX 16  /* most stages or convolutions surveyed: 8 */
#define MODEL_IMAGE_MAX 8192 /* side of an image; largest surveyed: 1,344 */
#define MODEL_WINDOW_MAX 32  /* side of a window; largest surveyed: 24 */
#define MODEL_WINDOW_PAIRS_MAX \
	((uint64_t)1 << 22)   /* patches beside each other: 1.3 M surveyed */
#define MODEL_WIDTH_MAX 65536 /* widest layer surveyed: 53,248 */
#define MODEL_POSITIONS_MAX ((size_t)1 << 17) /* relative ones: 512 are usual */
#define MODEL_SINUSOIDS_MAX ((size_t)1 << 24) /* most surveyed: 2^20 */
#define SKELETON_BYTES_MAX ((size_t)64 << 20) /* largest exported: 1.2 MiB */
#define SKELETON_FILE_MAX ((size_t)16 << 20)  /* as above, compressed */
#define SKELETON_TENSORS_MAX ((size_t)1 << 16) /* most exported: 1,500 */
#define SKELETON_PORTS_MAX 64		       /* most exported: 4 */
#define SKELETON_TEXT_MAX ((size_t)1 << 20)    /* names that are not used */
#define SKELETON_NAME_MAX 128 /* of an architecture: longest known is 60 */
#define SKELETON_MANIFEST_MAX ((size_t)8 << 20) /* 1,700 models: 0.4 MiB */
#define EXTERNAL_ALIGN 4096 /* the ONNX specification's advice */

/* Archives and jobs */
#define ARCHIVE_MEMBERS_MAX \
	((size_t)1 << 16) /* largest repository zipped: 10,000 files */
#define ARCHIVE_LEFT_MAX ((uint64_t)1 << 18) /* entries that are no members */
#define ARCHIVE_TABLE_BYTES_MAX \
	((size_t)16 << 20) /* ARCHIVE_MEMBERS_MAX of 250 bytes each */
#define ARCHIVE_MEMBER_BYTES_MAX \
	((uint64_t)1 << 40)  /* 1 TiB: 100 times the largest one surveyed */
#define ARCHIVE_RATIO_MAX 64 /* weights: 1.1; a text graph: 10 */
#define ARCHIVE_RATIO_FREE \
	((uint64_t)1 << 30) /* so much any archive may hold: small ones vary */
#define ARCHIVE_LOCALS_MAX \
	((size_t)256) /* local headers read to list a zip: a request each */
#define DEFLATE_RATIO_MAX 1032 /* more deflate cannot (zlib's own figure) */
#define GZIP_MEMBERS_MAX 10000 /* parallel packers write one for 128 KiB */
#define TAR_PADDING_MAX \
	((uint64_t)16 << 20) /* zeros at the end: tar's default is 10 KiB */
#define FRAME_BYTES_MAX \
	((size_t)128 << 10) /* of the worker's answer: two pipes full */
#define WORKER_MEMORY_BYTES \
	((uint64_t)512 << 20) /* xz -9 wants 65 MiB, zstd --long 128 */
#define WORKER_CPU_S 60	      /* and one more for each MiB: xz gives 50 MiB/s */
#define JOB_THREADS 2	      /* each has a worker: one a core of two */
#define JOB_QUEUE_MAX 4096    /* members of a zip that are read at once */
#define JOB_RANGES_MAX 65536  /* as DISK_LANE_QUEUE_MAX */
#define JOB_PIECE_BYTES \
	((size_t)8 << 20)   /* of an archive at a time: two ranges */
#define JOB_STALL_S 120	    /* no byte in or out: as REQUEST_DEADLINE_S */
#define JOB_KEEP_S 600	    /* to give a job's members to the cache */
#define JOB_TRIES_MAX 3	    /* of a content whose worker died */
#define JOB_FORGIVE_S 600   /* then it is tried again */
#define JOB_FAILED_MAX 4096 /* contents remembered as failed: 500 KiB */
#define SPOOL_FREE_MIN \
	((uint64_t)256 << 20) /* what a spool leaves of the disk */

/* External converters */
#define CONVERT_MEMORY_BYTES \
	((uint64_t)16 << 30) /* or 80 % of the machine: a 3 GB model's */
#define CONVERT_MAPPED_BYTES \
	((uint64_t)8 << 30)  /* addresses of what torch maps and never uses */
#define CONVERT_S 3600	     /* a 7-billion-parameter export takes 20 minutes */
#define CONVERT_FDS_MAX 4096 /* one for each shard, and Python's */
#define CONVERT_PROCESSES_MAX 4096 /* threads too; torch has one a core */
#define CONVERT_TMPFS_BYTES ((uint64_t)256 << 20) /* is memory: caches only */
#define CONVERT_QUEUE_MAX 64   /* conversions that wait for their turn */
#define CONVERT_FAILED_MAX 256 /* remembered with their last lines: 2 MiB */
#define CONVERT_WORDS_MAX 64   /* of a command */
#define CONVERT_COMMAND_MAX ((size_t)4 << 10) /* a PATH and some options */
#define CONVERT_PIECE_BYTES \
	((size_t)32 << 20) /* of a weight file at a time: eight ranges */
#define CONVERT_SMALL_BYTES \
	((uint64_t)64 << 20) /* tokenizer.json: 33 MB at the largest */
#define CONVERT_FILES_MAX ((size_t)1024) /* an exporter writes one or two */
#define CONVERT_OUTPUT_BYTES ((size_t)64 << 10) /* what it prints, its end */
#define CONVERT_LINES_MAX 20 /* of it in staged.status: a traceback */
#define CONVERT_LINES_BYTES ((size_t)4 << 10)
#define CONVERT_LOOK_BYTES_MAX ((size_t)1 << 20)  /* inputs: 200 of 1 KiB */
#define CONVERT_LOOK_MEMORY ((uint64_t)256 << 20) /* beside the file */
#define CONVERT_LOOK_S 120			  /* walks 2 GiB in seconds */
#define CONVERT_PROBE_S 30 /* Python without anything cached: 5 s */
#define CONVERT_MEMO_BYTES_MAX \
	((size_t)2 << 20) /* CONVERT_LOOK_BYTES_MAX and the files' names */
#define ONNX_NAME_BYTES_MAX ((size_t)1 << 10) /* of inputs: 120 seen */
#define ONNX_DEPTH_MAX 64 /* graphs in graphs, 3 frames each: 4 seen */

/* Blocks */
#define BLOCK_BYTES                                                      \
	((size_t)64 << 10) /* .h5 importers read in pieces of 2 KiB: see \
			      cache/README.md */
#define FETCH_RANGE_BYTES \
	((uint64_t)4 << 20) /* one request: 40 ms at 100 MB/s */
#define FETCH_AHEAD_BYTES_MAX \
	((uint64_t)64 << 20) /* per handle: 8 to 16 ranges in flight */

/* The transport */
#define REDIRECTS_MAX 10	   /* the hub's own clients' limit */
#define FETCH_PARALLEL_MAX 64	   /* transfers at a time, all hosts */
#define FETCH_PARALLEL_HOST_MAX 16 /* a host: above it hubs throttle */
#define FETCH_PARALLEL_AHEAD_MAX \
	12 /* of these for readahead: a reader finds a free one */
#define HTTP_HEADERS_MAX 256
#define HTTP_HEADER_BYTES_MAX ((size_t)8 << 10)
#define CONNECT_TIMEOUT_S 10
#define STALL_TIMEOUT_S 20		/* no byte for so long: try again */
#define URL_BYTES_MAX ((size_t)8 << 10) /* signed URLs surveyed: 1 to 2 KiB */
#define FETCH_HOSTS_MAX 128 /* twice the transfers: one is always idle */
#define FETCH_DROP_BYTES_MAX \
	((size_t)64 << 10) /* of an unwanted body, to keep the connection */
#define FETCH_WHOLE_BYTES_MAX \
	((uint64_t)4 << 20) /* a file of so much may come whole, for a part */
#define FETCH_PROBE_BYTES \
	((size_t)512) /* tells a web page or an LFS pointer from a model */
#define FETCH_BACKOFF_MS 250	  /* the first wait; then twice that */
#define FETCH_BACKOFF_MS_MAX 8000 /* as the hub's own clients */
#define FETCH_UNTRUE_MAX 1	  /* a false answer is asked for once more */
#define FETCH_LOOKUP_TRIES_MAX 5  /* of a name that is not found: 8 s */
#define RETRY_AFTER_S_MAX 60	  /* more is a fault, or a refusal */
#define RATE_RESET_S_MAX 600	  /* twice the hub's window */
#define SIGNED_URL_SPARE_S 60	  /* clocks differ; a range takes seconds */
#define SIGNED_URL_DEFAULT_S 600  /* of those seen none is shorter */
#define TOKEN_BYTES_MAX 1024	  /* the hub's have 37 */

/* Requests */
#define REQUEST_DEADLINE_S 120		 /* default; --timeout changes it */
#define READ_BYTES_MAX ((size_t)1 << 20) /* the kernel's largest FUSE read */
#define SLOW_LANE_THREADS 16		 /* metadata that waits for a network */
#define SLOW_LANE_QUEUE_MAX 4096
#define DISK_LANE_THREADS 3 /* opens, parked reads: cores and a spare */
#define DISK_LANE_QUEUE_MAX \
	65536 /* parked reads: of 256 in the kernel, and forgotten ones */
#define FUSE_THREADS_IDLE 4 /* kept; they never block */

/* The log */
#define LOG_MESSAGE_BYTES_MAX ((size_t)4 << 10) /* a URL of 2 KiB and spare */
#define LOG_SECRET_BYTES_MAX ((size_t)4 << 10)	/* signed tokens: 1 to 2 KiB */
#define LOG_SECRETS_MAX 64 /* a token for each hub, and their renewals */

#endif
