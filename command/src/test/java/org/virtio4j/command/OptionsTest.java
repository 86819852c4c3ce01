// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OptionsTest {

    private static final Map<String, Boolean> KNOWN = Map.of("--json", true, "--help", false);

    @Test
    void shouldTellOptionsFromOperandsWhenTheyAreMixed() throws CommandFailure {
        Options options = parse("a", "--json", "out", "b");
        assertEquals("out", options.value("--json"));
        assertEquals(List.of("a", "b"), options.operands());
        assertFalse(options.has("--help"));
    }

    @Test
    void shouldTakeAValueBehindAnEqualsSign() throws CommandFailure {
        assertEquals("a=b", parse("--json=a=b").value("--json"));
    }

    @Test
    void shouldTakeEverythingForAnOperandWhenItStandsBehindTwoDashes() throws CommandFailure {
        assertEquals(List.of("x", "--json", "--"), parse("x", "--", "--json", "--").operands());
    }

    @Test
    void shouldUnderstandTheShortFormOfHelp() throws CommandFailure {
        assertTrue(parse("-h").has("--help"));
    }

    @Test
    void shouldNameTheNearestOptionWhenItIsUnknown() {
        assertEquals("unknown option '--jsn'; did you mean --json?", failure("--jsn"));
        assertEquals("unknown option '--jsno'; did you mean --json?", failure("--jsno=x"));
        assertEquals("unknown option '-x'; expected one of --help --json", failure("-x"));
    }

    @Test
    void shouldRefuseAnOptionWhenItsValueIsMissingOrTooMuch() {
        assertEquals("option --json: expected a value, found none", failure("--json"));
        assertEquals("option --json: expected a value, found none", failure("--json="));
        assertEquals("option --help: expected no value, found 'yes'", failure("--help=yes"));
    }

    @Test
    void shouldRefuseAnOptionWhenItIsGivenTwice() {
        assertEquals("option --json: expected once, found twice", failure("--json", "a", "--json", "b"));
    }

    private static Options parse(String... args) throws CommandFailure {
        return Options.parse(List.of(args), KNOWN);
    }

    private static String failure(String... args) {
        return String.valueOf(assertThrows(CommandFailure.class, () -> parse(args)).getMessage());
    }
}
