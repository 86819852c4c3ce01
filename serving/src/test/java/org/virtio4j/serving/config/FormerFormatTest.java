// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.serving.plan.MachinePlan;

/** Files of the format before TOML are recognized, read, and said to be of that format. */
class FormerFormatTest {

    private static final String WHOLE = """
            [machine vm]
            folder = run
            [iommu]
            address = 00:08.0
            [rng]
            address = 00:09.0
            """;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {
            WHOLE,
            // Whole words in quotes, in a format without quotes: the quotation marks belong to the names.
            "[machine]\nfolder = \"run\"\n[iommu]\naddress = 00:08.0\n[disk]\naddress = 00:09.0\nfile = 'disk'\n",
            "# [[machine]]\n\n[ machine ]\nfolder=run\n[iommu]\naddress=0:8.0\n[rng]\naddress=0:9.0\n",
            "[machine]\nfolder = [[run]]\n[iommu]\naddress = 00:08.0\n[rng]\naddress = 00:09.0\n",
            "[machine]\nfolder = \"run\"\nmemory = 4\n[iommu]\naddress = 8\n",
            "[machine vm]\n",
            "[machine]\nsealed-memory = yes\n",
            "folder = run\n"})
    void shouldBeRecognized(String text) {
        assertTrue(FormerFormat.isFormer(text));
        assertTrue(FormerFormat.isFormer(text.replace("\n", "\r\n")));
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "",
            "\n# [machine vm]\n# address = 00:08.0\n",
            "[[machine]]\n",
            "  [[ machine ]]\naddress = 00:08.0\n",
            "[[machine]]\nfolder = 'run'\n[machine.iommu]\naddress = '00:08.0'\n[[machine.rng]]\naddress = '0:9.0'\n",
            "[machine.iommu]\naddress = 00:08.0\n",
            "machine = [\n{folder = 'run', iommu = {address = '0:8.0'}, rng = [{address = '0:9.0'}]}]\n",
            "\"machine\" = [{folder = '''\naddress = 00:08.0\n'''}]\n",
            "[machine]\nfolder = \"run\"\n[iommu]\naddress = \"00:08.0\"\n[rng]\naddress = 00:09.0\n",
            "[machine]\nfolder = \"run\"\nmemory = 512M\n[iommu]\naddress = '00:08.0'\n",
            "[machine]\nfolder = \"run\"\n",
            "[machine]\nmemory = 512 # MiB\nsealed-memory = true\n",
            "[machine]\n"})
    void shouldNotBeTakenForTheFormerFormat(String text) {
        assertFalse(FormerFormat.isFormer(text));
        assertFalse(FormerFormat.isFormer(text.replace("\n", "\r\n")));
    }

    @Test
    void shouldBeServedWithANotice() throws IOException, CommandFailure {
        List<String> notices = new ArrayList<>();
        Path file = write(WHOLE);
        List<MachinePlan> plans = MachineReader.read(file, null, notices::add);
        assertEquals("vm", plans.getFirst().name());
        assertEquals(List.of(file + ": the next version does not read this format; ./virtio4j config-to-toml " + file
                + " prints it as TOML"), notices);
    }

    @Test
    void shouldQuoteFileNamesThatAShellWouldSplit() throws IOException, CommandFailure {
        List<String> notices = new ArrayList<>();
        Path file = Files.writeString(folder.resolve("my machine's"), WHOLE);
        MachineReader.read(file, null, notices::add);
        assertTrue(notices.getFirst().contains("config-to-toml '" + folder + "/my machine'\\''s' prints"),
                notices.toString());
    }

    @Test
    void shouldSayOneThingOnly() throws IOException {
        List<String> notices = new ArrayList<>();
        Path file = write(WHOLE.replace("folder", "floder"));
        assertThrows(CommandFailure.class, () -> MachineReader.read(file, null, notices::add));
        assertEquals(List.of(), notices);
    }

    @Test
    void shouldSkipByteOrderMark() throws CommandFailure, IOException {
        assertEquals("vm", MachineReader.read(write("\ufeff" + WHOLE)).getFirst().name());
        Path inside = write(WHOLE + "\ufeff" + WHOLE);
        assertEquals(inside + ":7: expected KEY = VALUE or [SECTION], found '\\ufeff[machine vm]'", refusal(inside));
    }

    @Test
    void shouldShowWhatCannotBeSeen() throws IOException {
        Path spaces = write(WHOLE.replace("address = 00:09.0", "\u00a0address = 00:09.0\u200b"));
        assertEquals(spaces + ":6: unknown key '\\u00a0address' in [rng]; did you mean address?", refusal(spaces));
        Path controls = write(WHOLE.replace("00:09.0", "\u001b[2J"));
        assertEquals(controls + ":6: address='\\u001b[2J': must be BUS:DEVICE.FUNCTION, hexadecimal, such as 00:0a.0",
                refusal(controls));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("vm.conf"), text);
    }

    private static String refusal(Path file) {
        return String.valueOf(assertThrows(CommandFailure.class, () -> MachineReader.read(file)).getMessage());
    }
}
