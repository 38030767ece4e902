# SPDX-License-Identifier: MIT
# fish completion for omnihub(1)

function __omnihub_is
    __fish_seen_subcommand_from $argv
end

set -l commands mount umount stage convert info status

complete -c omnihub -f
complete -c omnihub -n "not __omnihub_is $commands" -a mount -d "Mount the model hubs"
complete -c omnihub -n "not __omnihub_is $commands" -a umount -d "Unmount them"
complete -c omnihub -n "not __omnihub_is $commands" -a stage -d "Write a model folder as one staged file"
complete -c omnihub -n "not __omnihub_is $commands" -a convert -d "Convert a model that cannot be staged"
complete -c omnihub -n "not __omnihub_is $commands" -a info -d "Tell what a model is and takes"
complete -c omnihub -n "not __omnihub_is $commands" -a status -d "Tell how a mount is doing"
complete -c omnihub -n "not __omnihub_is $commands" -l version -d "Versions of the program and libfuse"
complete -c omnihub -l help -d "List the options"

complete -c omnihub -n "__omnihub_is mount umount stage convert" -a "(__fish_complete_directories)"
complete -c omnihub -n "__omnihub_is info status" -F

complete -c omnihub -n "__omnihub_is mount" -l cache -x -a "(__fish_complete_directories)" -d "Where blocks are kept"
complete -c omnihub -n "__omnihub_is mount" -l cache-size -x -d "How much is kept, such as 50G"
complete -c omnihub -n "__omnihub_is mount" -l keep-free -x -d "Left free on that disk, such as 10G"
complete -c omnihub -n "__omnihub_is mount" -l endpoint -x -d "Where a hub is: NAME=URL or NAME=folder"
complete -c omnihub -n "__omnihub_is mount" -l verify -x -a "complete full off" -d "When digests are checked"
complete -c omnihub -n "__omnihub_is mount" -l skeletons -r -F -d "Graphs of your own architectures"
complete -c omnihub -n "__omnihub_is mount" -l converter -x -a "none" -d "What converts models that are not staged"
complete -c omnihub -n "__omnihub_is mount" -l converter-sandbox -x -a "auto namespaces landlock off" -d "Where it runs"
complete -c omnihub -n "__omnihub_is mount" -l converter-memory -x -d "Its memory, such as 8G"
complete -c omnihub -n "__omnihub_is mount" -l converter-timeout -x -d "Seconds it may take"
complete -c omnihub -n "__omnihub_is mount" -l offline -d "Use only what is in the cache"
complete -c omnihub -n "__omnihub_is mount" -l allow-other -d "Let other users read the mount"
complete -c omnihub -n "__omnihub_is mount" -l foreground -d "Stay, and log to standard error"
complete -c omnihub -n "__omnihub_is mount" -l timeout -x -d "Seconds after which a request is given up"
complete -c omnihub -n "__omnihub_is mount" -l log -r -F -d "The log"
complete -c omnihub -n "__omnihub_is mount" -l log-level -x -a "error warn info debug" -d "How much is logged"
complete -c omnihub -n "__omnihub_is mount" -l config -r -F -d "Read settings first"
complete -c omnihub -n "__omnihub_is mount stage" -l form -x -a "plain dl4j" -d "What staged.onnx is"
complete -c omnihub -n "__omnihub_is mount stage" -l profile -x -a "portable native" -d "How halves are shown"

complete -c omnihub -n "__omnihub_is umount" -s z -l lazy -d "Also while files are open"

complete -c omnihub -n "__omnihub_is stage" -s t -l task -x -a "fill-mask text-classification token-classification question-answering pretraining sentence-similarity text-generation text-generation-with-past text2text-generation translation summarization automatic-speech-recognition audio-classification image-classification image-segmentation zero-shot-image-classification" -d "With the head of a task"
complete -c omnihub -n "__omnihub_is stage" -s o -l output -r -F -d "Where to"
complete -c omnihub -n "__omnihub_is stage" -l format -x -a "onnx pb h5" -d "What kind of file"
complete -c omnihub -n "__omnihub_is stage" -l part -x -a "encoder_model decoder_model" -d "One half of a model"
complete -c omnihub -n "__omnihub_is stage" -l skeleton -x -d "The graph of PyTorch weights"
complete -c omnihub -n "__omnihub_is stage" -l application -x -d "What Keras weights are of"
complete -c omnihub -n "__omnihub_is stage" -l skeletons -r -F -d "Graphs of your own architectures"
complete -c omnihub -n "__omnihub_is stage" -l plan -d "Only print what would be written"
complete -c omnihub -n "__omnihub_is stage" -l force -d "Overwrite the file"

complete -c omnihub -n "__omnihub_is convert" -l background -d "Do not wait"
complete -c omnihub -n "__omnihub_is convert" -l stop -d "End it, or forget its result"

complete -c omnihub -n "__omnihub_is info status" -l json -d "For programs"
