#compdef omnihub
# SPDX-License-Identifier: MIT
# zsh completion for omnihub(1)

_omnihub_mount()
{
	_arguments \
		'--cache[where blocks are kept]:folder:_directories' \
		'--cache-size[how much is kept]:size, such as 50G:' \
		'--keep-free[left free on that disk]:size, such as 10G:' \
		'*--endpoint[where a hub is]:NAME=URL or NAME=folder:' \
		'--verify[when digests are checked]:mode:(complete full off)' \
		'--form[what staged.onnx is]:form:(plain dl4j)' \
		'--profile[halves widened or as they are]:profile:(portable native)' \
		'--skeletons[graphs of your own architectures]:folder:_directories' \
		'--converter[what converts models that are not staged]:command:(none)' \
		'--converter-sandbox[where it runs]:box:(auto namespaces landlock off)' \
		'--converter-memory[its memory]:size, such as 8G:' \
		'--converter-timeout[how long it may take]:seconds:' \
		'--offline[use only what is in the cache]' \
		'--allow-other[let other users read the mount]' \
		'--foreground[stay, and log to standard error]' \
		'--timeout[when a request is given up]:seconds:' \
		'--log[the log]:file:_files' \
		'--log-level[how much is logged]:level:(error warn info debug)' \
		'--config[read settings first]:file:_files' \
		'--help[list the options]' \
		':mount point:_directories'
}

_omnihub_stage()
{
	_arguments \
		'(-t --task)'{-t,--task}'[with the head of a task]:task:(fill-mask text-classification token-classification question-answering pretraining sentence-similarity text-generation text-generation-with-past text2text-generation translation summarization automatic-speech-recognition audio-classification image-classification image-segmentation zero-shot-image-classification)' \
		'(-o --output)'{-o,--output}'[where to]:file:_files' \
		'--format[what kind of file]:format:(onnx pb h5)' \
		'--part[one half of a model]:part:(encoder_model decoder_model)' \
		'--form[plain or dl4j]:form:(plain dl4j)' \
		'--profile[portable or native]:profile:(portable native)' \
		'--skeleton[the graph of PyTorch weights]:set/name:' \
		'--application[what Keras weights are of]:application/variant:' \
		'--skeletons[graphs of your own architectures]:folder:_directories' \
		'--plan[only print what would be written]' \
		'--force[overwrite the file]' \
		'--help[list the options]' \
		':model folder:_directories'
}

_omnihub()
{
	local curcontext=$curcontext state line

	_arguments -C \
		'(- *)--help[list the commands]' \
		'(- *)--version[versions of the program and libfuse]' \
		':command:((mount\:"mount the model hubs" umount\:"unmount them" stage\:"write a model folder as one staged file" convert\:"convert a model that cannot be staged" info\:"tell what a model is and takes" status\:"tell how a mount is doing"))' \
		'*::argument:->argument'
	[[ $state == argument ]] || return
	case $line[1] in
	mount) _omnihub_mount ;;
	umount)
		_arguments '(-z --lazy)'{-z,--lazy}'[also while files are open]' \
			'--help[list the options]' ':mount point:_directories'
		;;
	stage) _omnihub_stage ;;
	convert)
		_arguments '--background[do not wait]' \
			'--stop[end it, or forget its result]' \
			'--help[list the options]' ':model folder:_directories'
		;;
	info | status)
		_arguments '--json[for programs]' '--help[list the options]' \
			':path:_files'
		;;
	esac
}

_omnihub "$@"
