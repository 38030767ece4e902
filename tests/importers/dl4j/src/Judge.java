/* SPDX-License-Identifier: MIT */

import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * Runs models in Deeplearning4j: a request is a line of JSON on the standard
 * input, its answer a line in the file that the argument names.
 *
 * <p>Not on the standard output, for there the library prints each node it
 * imports, and its native part what goes wrong, in pieces of lines.
 */
public final class Judge {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CAUSES_MAX = 6;

    private String opened = "";
    private Model model;

    /** The last cause tells what the first one does not. */
    private static String reasons(Throwable thrown) {
        StringBuilder text = new StringBuilder();
        int count = 0;
        for (Throwable each = thrown; each != null && count < CAUSES_MAX;
                each = each.getCause(), count++) {
            text.append(count == 0 ? "" : " <- ").append(each);
        }
        return text.toString();
    }

    /** Stays open until another one, or another example, is asked for. */
    private Model model(String path, Map<String, INDArray> example)
            throws Exception {
        StringBuilder wanted = new StringBuilder(path);
        example.forEach((name, array) -> wanted.append(" ").append(name)
                .append(Arrays.toString(array.shape())));
        if (!wanted.toString().equals(opened)) {
            opened = "";
            model = null;
            model = Model.open(path, example);
            opened = wanted.toString();
        }
        return model;
    }

    private Map<String, Object> answer(String line) {
        Map<String, Object> said = new LinkedHashMap<>();
        try {
            JsonNode request = JSON.readTree(line);
            Map<String, INDArray> inputs = Tensors.read(
                    request.get("inputs"));
            Map<String, INDArray> example = request.get("example").asBoolean()
                    ? inputs : Collections.emptyMap();
            said.put("outputs", Tensors.written(
                    model(request.get("model").asText(), example)
                            .run(inputs, request.get("outputs"))));
        } catch (Exception | LinkageError | AssertionError thrown) {
            said.put("error", reasons(thrown));
        }
        return said;
    }

    public static void main(String[] arguments) throws Exception {
        Judge judge = new Judge();
        BufferedReader requests = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        try (PrintStream answers = new PrintStream(
                new FileOutputStream(arguments[0]), true,
                StandardCharsets.UTF_8)) {
            String line;
            while ((line = requests.readLine()) != null) {
                answers.println(JSON.writeValueAsString(judge.answer(line)));
            }
        }
    }
}
