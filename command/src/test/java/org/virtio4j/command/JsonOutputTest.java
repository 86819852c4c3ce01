// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class JsonOutputTest {

    @Test
    void shouldIndentMembersAndElements() {
        assertEquals("""
                {
                  "a": 1,
                  "b": [
                    true,
                    null,
                    {
                      "c": "d"
                    }
                  ]
                }
                """, JsonOutput.text(json -> {
                    json.writeStartObject();
                    json.writeNumberField("a", 1);
                    json.writeArrayFieldStart("b");
                    json.writeBoolean(true);
                    json.writeNull();
                    json.writeStartObject();
                    json.writeStringField("c", "d");
                    json.writeEndObject();
                    json.writeEndArray();
                    json.writeEndObject();
                }));
    }

    @Test
    void shouldWriteNothingBetweenTheBracketsOfWhatIsEmpty() {
        assertEquals("{\n  \"a\": [],\n  \"b\": {}\n}\n", JsonOutput.text(json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("a");
            json.writeEndArray();
            json.writeObjectFieldStart("b");
            json.writeEndObject();
            json.writeEndObject();
        }));
    }

    /** The last one takes two escapes, as RFC 8259, section 7 has it. */
    @Test
    void shouldEscapeWhatIsNotAscii() {
        assertEquals("\"a\\\"b\\\\c/ \\u00fc \\t\\n\\u0001 \\ud834\\udd1e\"\n",
                JsonOutput.text(json -> json.writeString("a\"b\\c/ \u00fc \t\n\u0001 \ud834\udd1e")));
    }

    @Test
    void shouldWriteSixDecimalsInEveryLocale() {
        Locale usual = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            assertEquals("""
                    {
                      "third": 0.333333,
                      "large": 12345678901234567000.000000,
                      "small": 0.000000
                    }
                    """, JsonOutput.text(json -> {
                        json.writeStartObject();
                        JsonOutput.decimals(json, "third", 1 / 3.0);
                        JsonOutput.decimals(json, "large", 12_345_678_901_234_567_000.0);
                        JsonOutput.decimals(json, "small", 1e-9);
                        json.writeEndObject();
                    }));
        } finally {
            Locale.setDefault(usual);
        }
    }

    @Test
    void shouldCopyWhatIsJsonAlready() {
        assertEquals("[\n  {\n    \"score\": 12.125,\n    \"error\": \"NaN\",\n    \"forks\": 5\n  }\n]\n",
                JsonOutput.text(json -> JsonOutput.copy(json,
                        "\n[ {\"score\" : 12.125,\n \"error\":\"NaN\", \"forks\" : 5 } ]\n")));
    }

    @Test
    void shouldRefuseToCopyWhatIsNotJson() {
        assertThrows(UncheckedIOException.class, () -> JsonOutput.text(json -> JsonOutput.copy(json, "[ 1, NaN ]")));
        assertThrows(UncheckedIOException.class, () -> JsonOutput.text(json -> JsonOutput.copy(json, "[ 1")));
    }

    @Test
    void shouldRefuseBracketsThatDoNotFit() {
        assertThrows(UncheckedIOException.class, () -> JsonOutput.text(JsonOutputTest::mismatched));
    }

    private static void mismatched(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeEndArray();
    }
}
