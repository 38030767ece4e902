/* SPDX-License-Identifier: MIT */

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.databind.JsonNode;

/**
 * Arrays as JSON: {"dtype", "shape", "data"}, the numbers in Base64, little
 * endian, by rows.
 */
final class Tensors {
    private Tensors() {}

    private static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static INDArray array(JsonNode said) {
        long[] shape = new long[said.get("shape").size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = said.get("shape").get(i).asLong();
        }
        ByteBuffer data = ByteBuffer
                .wrap(Base64.getDecoder().decode(said.get("data").asText()))
                .order(ByteOrder.LITTLE_ENDIAN);
        String dtype = said.get("dtype").asText();
        switch (dtype) {
        case "float32":
            float[] floats = new float[data.remaining() / 4];
            data.asFloatBuffer().get(floats);
            return Nd4j.createFromArray(floats).reshape(shape);
        case "int64":
            long[] longs = new long[data.remaining() / 8];
            data.asLongBuffer().get(longs);
            return Nd4j.createFromArray(longs).reshape(shape);
        case "int32":
            int[] ints = new int[data.remaining() / 4];
            data.asIntBuffer().get(ints);
            return Nd4j.createFromArray(ints).reshape(shape);
        default:
            throw new IllegalArgumentException("no arrays of " + dtype);
        }
    }

    /** In the order of the request, which is that of a model without names. */
    static Map<String, INDArray> read(JsonNode said) {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        Iterator<Map.Entry<String, JsonNode>> each = said.fields();
        while (each.hasNext()) {
            Map.Entry<String, JsonNode> entry = each.next();
            arrays.put(entry.getKey(), array(entry.getValue()));
        }
        return arrays;
    }

    private static Map<String, Object> written(INDArray array) {
        Map<String, Object> said = new LinkedHashMap<>();
        INDArray row = array.dup('c').reshape(array.length());
        ByteBuffer data;
        if (array.dataType().isFPType()) {
            said.put("dtype", "float32");
            data = bytes((int) row.length() * 4);
            data.asFloatBuffer().put(row.castTo(DataType.FLOAT)
                    .toFloatVector());
        } else {
            said.put("dtype", "int64");
            data = bytes((int) row.length() * 8);
            data.asLongBuffer().put(row.castTo(DataType.LONG)
                    .toLongVector());
        }
        said.put("shape", array.shape());
        said.put("data", Base64.getEncoder().encodeToString(data.array()));
        return said;
    }

    static Map<String, Object> written(Map<String, INDArray> arrays) {
        Map<String, Object> said = new LinkedHashMap<>();
        arrays.forEach((name, array) -> said.put(name, written(array)));
        return said;
    }
}
