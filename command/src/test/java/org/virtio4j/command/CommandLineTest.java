// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * A command line as its user sees it: of a program with the commands "copy", which takes options and operands, "stop"
 * and "wait", which has an option.
 */
class CommandLineTest {

    private static final String ALL = "--fast --from --help --json --mode --times";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Command copying = arguments -> ExitStatus.OK;
    private @Nullable ParseResult seen;

    @Test
    void shouldTellOptionsFromOperandsWhenTheyAreMixed() {
        ParseResult arguments = parse("a", "--json", "out", "b");
        assertEquals(Path.of("out"), arguments.matchedOptionValue("--json", null));
        assertEquals(List.of("a", "b"), arguments.matchedPositionalValue(0, List.of()));
        assertFalse(arguments.hasMatchedOption("--fast"));
    }

    @Test
    void shouldTakeAValueBehindAnEqualsSign() {
        assertEquals(Path.of("a=b"), parse("--json=a=b").matchedOptionValue("--json", null));
        assertEquals(3, parse("--times=3").<Integer>matchedOptionValue("--times", 0));
    }

    @Test
    void shouldTakeAValueThatLooksLikeAnUnknownOption() {
        assertEquals(Path.of("-x"), parse("--json", "-x").matchedOptionValue("--json", null));
    }

    @Test
    void shouldTakeEverythingForAnOperandWhenItStandsBehindTwoDashes() {
        ParseResult arguments = parse("x", "--", "--json", "--", "-h");
        assertEquals(List.of("x", "--json", "--", "-h"), arguments.matchedPositionalValue(0, List.of()));
    }

    @Test
    void shouldTakeOneDashForAnOperand() {
        assertEquals(List.of("-"), parse("-").matchedPositionalValue(0, List.of()));
    }

    @Test
    void shouldReadNoFileOfArguments(@TempDir Path folder) throws IOException {
        String operand = "@" + Files.writeString(folder.resolve("arguments"), "--fast");
        assertEquals(List.of(operand), parse(operand).matchedPositionalValue(0, List.of()));
    }

    @Test
    void shouldTakeSeveralFilesWithCommas() {
        assertEquals(List.of(Path.of("a"), Path.of("b")), parse("--from", "a,b").matchedOptionValue("--from", null));
        assertMistake("option --from: expected a value, found none", "copy", "--from", "a,,b");
    }

    @Test
    void shouldUnderstandTheShortFormOfHelp() {
        assertEquals(0, run("copy", "-h"));
        assertTrue(printed().startsWith("Usage: virtio4j copy [OPTION...] [WHAT...]\n"), printed());
        String help = printed();
        assertEquals(0, run("copy", "--help"));
        assertEquals(help, printed());
    }

    @Test
    void shouldShowOptionsAsTheyAreWritten() {
        run("copy", "--help");
        assertTrue(printed().startsWith("Usage: virtio4j copy [OPTION...] [WHAT...]\n\nCopies.\n\n      WHAT...\n"),
                printed());
        assertTrue(printed().contains("      --json FILE "), printed());
        assertTrue(printed().contains("      --from FILE,... "), printed());
        assertTrue(printed().contains("\nExit status:\n  0   copied\n"), printed());
        assertFalse(printed().contains("\033"), printed());
        assertTrue(printed().lines().allMatch(line -> line.length() <= 100), printed());
    }

    @Test
    void shouldNameTheNearestOptionWhenItIsUnknown() {
        assertMistake("unknown option '--jsn'; did you mean --json?", "copy", "--jsn");
        assertMistake("unknown option '--jsno'; did you mean --json?", "copy", "--jsno=x");
        assertMistake("unknown option '--jsn'; did you mean --json?", "copy", "a", "--jsn", "--help");
        assertMistake("unknown option '-x'; expected one of " + ALL, "copy", "-x");
    }

    @Test
    void shouldNotTakeTheBeginningOfAnOptionForIt() {
        assertMistake("unknown option '--js'; did you mean --json?", "copy", "--js", "x");
        assertMistake("unknown option '-hx'; expected one of " + ALL, "copy", "-hx");
    }

    @Test
    void shouldRefuseAnOptionWhenItsValueIsMissingOrTooMuch() {
        assertMistake("option --json: expected a value, found none", "copy", "--json");
        assertMistake("option --json: expected a value, found none", "copy", "--json=");
        assertMistake("option --json: expected a value, found none", "copy", "--json", "");
        assertMistake("option --json: expected a value, found none", "copy", "--json", "--fast");
        assertMistake("option --mode: expected a value, found none", "copy", "--mode=");
        assertMistake("option --times: expected a value, found none", "copy", "--times=");
        assertMistake("option --help: expected no value, found 'yes'", "copy", "--help=yes");
        assertMistake("option --fast: expected no value, found 'no'", "copy", "--json=x", "--fast=no");
    }

    @Test
    void shouldRefuseAnOptionWhenItIsGivenTwice() {
        assertMistake("option --json: expected once, found twice", "copy", "--json", "a", "--json", "b");
        assertMistake("option --fast: expected once, found twice", "copy", "--fast", "--fast");
    }

    @Test
    void shouldSayWhichValuesAnOptionCanHave() {
        assertMistake("unknown mode 'slwo'; did you mean slow?", "copy", "--mode", "slwo");
        assertMistake("unknown mode 'SLOW'; expected one of slow quick", "copy", "--mode", "SLOW");
        assertMistake("option --times: expected 1 to 9, found '0'", "copy", "--times", "0");
        assertMistake("option --times: expected 1 to 9, found '1e0'", "copy", "--times", "1e0");
        assertMistake("'\0': expected a file name, found Nul character not allowed", "copy", "--json=\0");
    }

    @Test
    void shouldHelpWhoDoesNotKnowTheValuesYet() {
        assertEquals(0, run("copy", "--times", "0", "--help"));
        assertEquals(0, run("copy", "--help", "--mode", "SLOW"));
        assertMistake("option --json: expected a value, found none", "copy", "--help", "--json");
        assertMistake("option --json: expected a value, found none", "copy", "--help", "--json", "");
        assertMistake("unknown option '--jsn'; did you mean --json?", "copy", "--help", "--times", "0", "--jsn");
    }

    @Test
    void shouldNameTheUnknownOptionBeforeTheOperandThatMayBeItsValue() {
        assertMistake("unknown option '--now'; expected one of --help", "stop", "today", "--now");
    }

    @Test
    void shouldRefuseOperandsWhereThereAreNone() {
        assertMistake("expected no argument, found 'now'", "stop", "now");
        assertMistake("unknown option '--now'; expected one of --help", "stop", "--now");
    }

    @Test
    void shouldRefuseOperandsThatLookLikeOptions() {
        assertMistake("expected no argument, found '-'", "stop", "-");
        assertMistake("expected no argument, found '--help'", "stop", "--", "--help");
        assertMistake("expected no argument, found '--'", "stop", "--", "--");
        assertMistake("expected no argument, found 'now'", "stop", "--", "now", "--now");
        assertEquals(0, run("stop", "--"));
        assertMistake("unknown option '--now'; expected one of --help", "stop", "-", "--now");
    }

    @Test
    void shouldHelpWhoGivesOperandsWhereThereAreNone() {
        for (String operand : List.of("now", "-", "")) {
            assertEquals(0, run("stop", "--help", operand));
            assertEquals(0, run("stop", operand, "--help"));
        }
        assertEquals(0, run("stop", "--help", "--", "--now"));
        assertMistake("unknown option '--now'; expected one of --help", "stop", "--help", "today", "--now");
    }

    @Test
    void shouldRefuseOperandsBeforeValues() {
        assertMistake("expected options only, found 'now'", "wait", "--times", "0", "now");
        assertMistake("option --times: expected a value, found none", "wait", "--times=", "now");
        assertMistake("option --times: expected 1 to 9, found '0'", "wait", "--times", "0");
    }

    @Test
    void shouldNotTakeAnOptionForTheValueOfAnother() {
        assertMistake("option --json: expected a value, found none", "copy", "--json", "--fast");
        assertEquals(Path.of("./--fast"), parse("--json", "./--fast").matchedOptionValue("--json", null));
    }

    @Test
    void shouldRefuseTwoDashesWhereACommandIsExpected() {
        assertMistake("unknown command '--'; expected one of copy stop wait", "--");
        assertMistake("unknown command '--'; expected one of copy stop wait", "--", "--help");
        assertMistake("unknown command '--'; expected one of copy stop wait", "--help", "--");
        assertMistake("unknown command '--'; expected one of copy stop wait", "--", "cpoy");
        assertMistake("unknown command 'cpoy'; did you mean copy?", "cpoy", "--");
    }

    @Test
    void shouldNameTheNearestCommandWhenItIsUnknown() {
        assertMistake("unknown command 'cpoy'; did you mean copy?", "cpoy", "--json", "x");
        assertMistake("unknown command 'cpoy'; did you mean copy?", "cpoy", "--help");
        assertMistake("unknown command 'frobnicate'; expected one of copy stop wait", "frobnicate");
        assertMistake("expected nothing before command 'stop', found '--'", "--", "stop");
    }

    @Test
    void shouldEndWithTheStatusOfTheCommand() {
        copying = arguments -> ExitStatus.INTERRUPTED;
        assertEquals(130, run("copy"));
        copying = arguments -> {
            throw new CommandFailure("no");
        };
        assertMistake("no", "copy");
    }

    @Test
    void shouldGiveAMistakeOfTheProgramToTheJvm() {
        copying = arguments -> {
            throw new IllegalStateException("mistake");
        };
        assertThrows(IllegalStateException.class, () -> run("copy"));
        copying = arguments -> {
            throw new OutOfMemoryError("Java heap space");
        };
        assertEquals(1, run("copy"));
        assertTrue(err.toString(StandardCharsets.UTF_8).startsWith("virtio4j: out of memory: Java heap space; "));
    }

    private ParseResult parse(String... args) {
        copying = arguments -> {
            seen = arguments;
            return ExitStatus.OK;
        };
        String[] all = new String[args.length + 1];
        all[0] = "copy";
        System.arraycopy(args, 0, all, 1, args.length);
        assertEquals(0, run(all), err.toString(StandardCharsets.UTF_8));
        if (seen == null) {
            throw new AssertionError("copied nothing");
        }
        return seen;
    }

    private void assertMistake(String message, String... args) {
        assertEquals(2, run(args));
        assertEquals("virtio4j: " + message + System.lineSeparator(), err.toString(StandardCharsets.UTF_8));
        assertEquals("", printed());
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private int run(String... args) {
        out.reset();
        err.reset();
        Command stopping = arguments -> ExitStatus.OK;
        CommandSpec program = CommandSpec.wrapWithoutInspection(stopping).name("virtio4j")
                .addOption(CommandOptions.help());
        program.addSubcommand("copy", copySpec());
        program.addSubcommand("stop", CommandHelp.describe(stopping, "stop", "stops", "")
                .addOption(CommandOptions.help()));
        program.addSubcommand("wait", CommandHelp.describe(stopping, "wait", "waits", "[OPTION...]")
                .addOption(CommandOptions.number("--times", "N", 1, 9, "how often"))
                .addOption(CommandOptions.help()));
        return CommandRunner.run(new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), program, List.of(args));
    }

    private CommandSpec copySpec() {
        CommandSpec spec = CommandHelp.describe(copying, "copy", "copies", "[OPTION...] [WHAT...]")
                .addPositional(CommandOptions.operands("WHAT...", String.class, text -> text).build())
                .addOption(CommandOptions.file("--json", "into FILE"))
                .addOption(CommandOptions.files("--from", "from these"))
                .addOption(CommandOptions.number("--times", "N", 1, 9, "how often"))
                .addOption(CommandOptions.oneOf("--mode", String.class, List.of("slow", "quick"), "how"))
                .addOption(CommandOptions.flag("--fast", "faster"))
                .addOption(CommandOptions.help());
        return CommandHelp.exits(CommandHelp.explain(spec, "Copies."), "0:copied");
    }
}
