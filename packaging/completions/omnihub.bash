# SPDX-License-Identifier: MIT
# bash completion for omnihub(1)

_omnihub_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# The value of the option before; 1: that takes none.
_omnihub_value()
{
	case $command:$prev in
	mount:--cache | mount:--skeletons | stage:--skeletons) _filedir -d ;;
	mount:--config | mount:--log | stage:--output | stage:-o) _filedir ;;
	mount:--cache-size) _omnihub_words "10G 50G 200G" ;;
	mount:--keep-free) _omnihub_words "1G 10G 50G" ;;
	mount:--endpoint)
		_omnihub_words "huggingface="
		compopt -o nospace
		;;
	mount:--verify) _omnihub_words "complete full off" ;;
	stage:--format) _omnihub_words "onnx pb h5" ;;
	stage:--part) _omnihub_words "encoder_model decoder_model" ;;
	mount:--form | stage:--form) _omnihub_words "plain dl4j" ;;
	mount:--profile | stage:--profile) _omnihub_words "portable native" ;;
	mount:--log-level) _omnihub_words "error warn info debug" ;;
	mount:--converter-sandbox)
		_omnihub_words "auto namespaces landlock off"
		;;
	mount:--converter-memory) _omnihub_words "4G 8G 16G" ;;
	mount:--converter) _omnihub_words "none" ;;
	mount:--timeout | mount:--converter-timeout) ;;
	stage:--task | stage:-t)
		_omnihub_words "fill-mask text-classification token-classification
			question-answering pretraining sentence-similarity
			text-generation text-generation-with-past
			text2text-generation translation summarization
			automatic-speech-recognition audio-classification
			image-classification image-segmentation
			zero-shot-image-classification"
		;;
	*) return 1 ;;
	esac
}

_omnihub_options()
{
	case $command in
	mount)
		_omnihub_words "--cache --cache-size --keep-free --endpoint --verify
			--form --profile --skeletons --converter
			--converter-sandbox --converter-memory --converter-timeout
			--offline --allow-other --foreground --timeout --log
			--log-level --config --help"
		;;
	umount) _omnihub_words "--lazy --help" ;;
	stage)
		_omnihub_words "--task --output --format --part --form --profile
			--skeleton --application --skeletons --plan --force
			--help"
		;;
	convert) _omnihub_words "--background --stop --help" ;;
	info | status) _omnihub_words "--json --help" ;;
	esac
}

_omnihub()
{
	local cur prev words cword split command

	_init_completion -s || return
	command=${words[1]}
	if ((cword == 1)); then
		_omnihub_words "mount umount stage convert info status --help
			--version"
	elif _omnihub_value; then
		:
	elif [[ $cur == -* ]]; then
		_omnihub_options
	elif [[ $command == info || $command == status ]]; then
		_filedir
	else
		_filedir -d
	fi
}

complete -F _omnihub omnihub
