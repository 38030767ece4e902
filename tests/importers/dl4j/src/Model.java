/* SPDX-License-Identifier: MIT */

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.samediff.frameworkimport.onnx.importer.OnnxFrameworkImporter;
import org.nd4j.samediff.frameworkimport.tensorflow.importer.TensorflowFrameworkImporter;
import org.nd4j.shade.jackson.databind.JsonNode;

/** An imported model: the importer is chosen by the file's name. */
interface Model {
    /** What it computes, by the names wanted. */
    Map<String, INDArray> run(Map<String, INDArray> inputs, JsonNode wanted);

    /** Without an example of inputs, lengths not known are taken for 1. */
    static Model open(String path, Map<String, INDArray> example)
            throws Exception {
        boolean suggests = example.isEmpty();

        if (path.endsWith(".onnx")) {
            return of(new OnnxFrameworkImporter().runImport(
                    path, example, suggests));
        }
        if (path.endsWith(".pb")) {
            return of(new TensorflowFrameworkImporter().runImport(
                    path, example, suggests));
        }
        if (path.endsWith(".h5")) {
            return of(KerasModelImport.importKerasModelAndWeights(
                    path, false));
        }
        throw new IllegalArgumentException("no importer for " + path);
    }

    private static Model of(SameDiff graph) {
        return (inputs, wanted) -> {
            List<String> names = new ArrayList<>();
            wanted.forEach(each -> names.add(each.asText()));
            Map<String, INDArray> found = graph.output(inputs, names);
            Map<String, INDArray> outputs = new LinkedHashMap<>();
            names.forEach(name -> outputs.put(name, found.get(name)));
            return outputs;
        };
    }

    /** Keras's ports have an order, and no names that survive. */
    private static Model of(ComputationGraph graph) {
        return (inputs, wanted) -> {
            INDArray[] found = graph.output(
                    inputs.values().toArray(new INDArray[0]));
            Map<String, INDArray> outputs = new LinkedHashMap<>();
            for (int i = 0; i < wanted.size(); i++) {
                outputs.put(wanted.get(i).asText(), found[i]);
            }
            return outputs;
        };
    }
}
