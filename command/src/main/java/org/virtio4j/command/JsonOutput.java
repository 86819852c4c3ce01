// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * The form of the JSON that programs write: indented by two spaces, a line feed at the end, and beyond ASCII everything
 * escaped, so that no reader must guess an encoding.
 */
public final class JsonOutput {

    private static final JsonFactory FACTORY = JsonFactory.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE).build();

    private JsonOutput() {
    }

    /** Writes one value. */
    @FunctionalInterface
    public interface Content {

        /**
         * Writes the value.
         *
         * @param json takes it
         * @throws IOException if a value is written where none may stand
         */
        void writeTo(JsonGenerator json) throws IOException;
    }

    /**
     * Has a value written.
     *
     * @param content writes it
     * @return the text
     * @throws UncheckedIOException if the content writes no whole value
     */
    public static String text(Content content) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.setPrettyPrinter(indented());
            content.writeTo(json);
        } catch (IOException malformed) {
            throw new UncheckedIOException(malformed);
        }
        return text.append('\n').toString();
    }

    /**
     * Adds a member whose value has six decimals.
     *
     * @param json takes it
     * @param name of the member
     * @param number finite
     * @throws IOException if no member may stand here
     */
    public static void decimals(JsonGenerator json, String name, double number) throws IOException {
        json.writeFieldName(name);
        json.writeNumber(String.format(Locale.ROOT, "%.6f", number));
    }

    /**
     * Adds a value that is text already.
     *
     * @param json takes it
     * @param text a whole value
     * @throws IOException if the text is something else, or no value may stand here
     */
    public static void copy(JsonGenerator json, String text) throws IOException {
        try (JsonParser parser = FACTORY.createParser(text)) {
            parser.nextToken();
            json.copyCurrentStructure(parser);
        }
    }

    private static PrettyPrinter indented() {
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        Separators separators = Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER).withObjectEmptySeparator("")
                .withArrayEmptySeparator("");
        return new DefaultPrettyPrinter(separators).withObjectIndenter(indenter).withArrayIndenter(indenter);
    }
}
