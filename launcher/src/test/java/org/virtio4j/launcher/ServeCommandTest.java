// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.Interruption;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TreeNode;
import org.virtio4j.vfiouser.VfioUserSocket;

/** Serves a machine without a QEMU, and looks at what is there and what is left. */
@Timeout(60)
class ServeCommandTest {

    private static final String CONFIG = """
            [[machine]]
            folder = "run"
            [machine.iommu]
            address = "00:08.0"
            [[machine.rng]]
            address = "00:09.0"
            [[machine.disk]]
            address = "00:0a.0"
            file = "disk.img"
            """;

    @TempDir
    private Path folder;
    private Path run;

    @BeforeEach
    void makeDisk() throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        run = folder.resolve("run");
    }

    @Test
    void shouldSayHowItIsUsed() {
        CommandRun help = CommandRun.of("serve", "--help");
        assertEquals(0, help.status());
        assertTrue(help.out().contains("\n  [[machine.disk]]\n  address = \"00:0a.0\"\n"), help.out());
        assertTrue(help.out().lines().allMatch(line -> line.length() <= 100), help.out());
    }

    @Test
    void shouldServeUntilInterrupted() throws IOException {
        Path config = write(CONFIG);
        Interruption interruption = new Interruption();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        CompletableFuture<Integer> status = CompletableFuture.supplyAsync(() -> Main.run(
                List.of("serve", "--config", config.toString()), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), interruption));
        while (!out.toString(StandardCharsets.UTF_8).contains("disk-0a.0.sock") && !status.isDone()) {
            Thread.onSpinWait();
        }
        assertEquals(List.of("disk-0a.0.sock", "iommu.sock", "rng-09.0.sock", "viot"), files());
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(run)));
        for (String socket : files().subList(0, 3)) {
            assertEquals("rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(run.resolve(socket))));
        }
        interruption.request();
        assertEquals(130, status.join());
        assertFalse(Files.exists(run), "what is left: " + run);
        assertEquals("", err.toString(StandardCharsets.UTF_8));
        String printed = out.toString(StandardCharsets.UTF_8);
        assertTrue(printed.startsWith("""
                machine guest is served; QEMU 10.1 or newer finds it with
                  -machine q35,memory-backend=memory \\
                  -m 512M \\
                  -object memory-backend-memfd,id=memory,size=512M,share=on \\
                  -acpitable sig=VIOT,rev=0,oem_id=VIRTIO,oem_table_id=VIRTIO4J,data=RUN/viot \\
                  -device '{"driver":"vfio-user-pci","addr":"8.0","socket":{"type":"unix","path":"RUN/iommu.sock"}}' \\
                """.replace("RUN", run.toString())), printed);
        assertTrue(printed.endsWith("machine guest: disk-0a.0: 0 bytes read, 0 written\ninterrupted\n"), printed);
    }

    @Test
    void shouldServeABoardWithATree() throws IOException {
        Files.write(folder.resolve("virt.dtb"), board().write());
        Path qemu = Files.writeString(folder.resolve("qemu"), """
                #!/bin/sh
                for word; do case $word in dumpdtb=*) cp "${0%/*}/virt.dtb" "${word#dumpdtb=}" ;; esac; done
                """);
        assertTrue(qemu.toFile().setExecutable(true));
        Path config = write(CONFIG.replace("\"run\"", "\"run\"\nboard = \"virt\"\nqemu = \"./qemu\"")
                + "reserved = [\"msi:x86\"]\n");
        Interruption interruption = new Interruption();
        interruption.request();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertEquals(130, Main.run(List.of("serve", "--config", config.toString()),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), interruption));
        assertEquals("virtio4j: " + config + ":12:13: reserved: expected msi:its for the interrupts of "
                + "virt,gic-version=3, found msi:x86; the guest may hang\n", err.toString(StandardCharsets.UTF_8));
        assertTrue(out.toString(StandardCharsets.UTF_8).startsWith("""
                machine guest is served; QEMU 10.1 or newer finds it with
                  -machine virt,gic-version=3,memory-backend=memory \\
                  -cpu cortex-a76 \\
                  -smp 1 \\
                  -m 512M \\
                  -object memory-backend-memfd,id=memory,size=512M,share=on \\
                  -dtb RUN/tree \\
                  -device""".replace("RUN", run.toString())), out.toString(StandardCharsets.UTF_8));
        assertFalse(Files.exists(run), "what is left: " + run);
    }

    private static DeviceTree board() {
        DeviceTree tree = new DeviceTree();
        tree.root().add(new TreeNode("cpu@0").put("device_type", "cpu"))
                .add(new TreeNode("its@8080000").put("compatible", "arm,gic-v3-its"))
                .add(new TreeNode("pcie@10000000").put("device_type", "pci"));
        return tree;
    }

    @Test
    void shouldNameTheQemuThatIsMissing() throws IOException {
        Path config = write(CONFIG.replace("\"run\"", "\"run\"\nboard = \"virt\"\nqemu = \"no-such-qemu\""));
        assertRefused("machine guest: no-such-qemu: expected a QEMU that writes a device tree, found no program that "
                + "can be started; set qemu to another, or tree to a file with a tree",
                "serve", "--config", config.toString());
        assertFalse(Files.exists(run));
    }

    @Test
    void shouldNameTheConfigurationThatIsMissing() {
        assertRefused("expected --config FILE, found none; serve --help shows what a file may be like", "serve");
        assertRefused("/none.toml: no such file", "serve", "--config", "/none.toml");
        assertRefused("expected --config FILE, found 'vm.toml'; serve --help shows what a file may be like",
                "serve", "vm.toml");
        assertRefused("expected options only, found 'other'", "serve", "--config", "vm.toml", "other");
    }

    @Test
    void shouldLeaveSocketsAloneThatAreInUse() throws IOException {
        Files.createDirectory(run);
        Path config = write(CONFIG);
        try (VfioUserSocket other = VfioUserSocket.at(run.resolve("rng-09.0.sock"))) {
            assertRefused("machine guest: path=" + other.path()
                    + " is served by another process; end that, or choose another path",
                    "serve", "--config", config.toString());
            assertEquals(List.of("rng-09.0.sock"), files());
        }
    }

    @Test
    void shouldRefuseFoldersThatCannotBe() throws IOException {
        Path nowhere = write(CONFIG.replace("\"run\"", "\"none/run\""));
        assertRefused("machine guest: " + folder + "/none/run: no such folder",
                "serve", "--config", nowhere.toString());
        Path file = write(CONFIG.replace("\"run\"", "\"disk.img\""));
        assertRefused("machine guest: " + folder + "/disk.img: expected a folder, found something else",
                "serve", "--config", file.toString());
    }

    @Test
    void shouldRefuseAFolderThatIsADanglingLink() throws IOException {
        Files.createSymbolicLink(run, Path.of("nowhere"));
        Path config = write(CONFIG);
        assertRefused("machine guest: " + run + ": expected a folder, found something else",
                "serve", "--config", config.toString());
    }

    @Test
    void shouldLeaveAloneWhatIsNoTableOfItsOwn() throws IOException {
        Path config = write(CONFIG);
        Path folderOfAnother = Files.createDirectories(run.resolve("viot"));
        assertRefused("machine guest: " + folderOfAnother + ": expected none, or a file of an earlier server, found "
                + "something else; move it, or choose another folder", "serve", "--config", config.toString());
        assertEquals(List.of("viot"), files());
        Files.delete(folderOfAnother);
        Files.createSymbolicLink(folderOfAnother, folder.resolve("disk.img"));
        assertRefused("machine guest: " + folderOfAnother + ": expected none, or a file of an earlier server, found "
                + "something else; move it, or choose another folder", "serve", "--config", config.toString());
        assertEquals(4096, Files.size(folder.resolve("disk.img")));
    }

    @Test
    void shouldNotRecordOverADisk() throws IOException {
        Path config = write(CONFIG);
        String disk = folder.resolve("disk.img").toString();
        assertRefused(disk + ": expected a file that may be replaced, found the disk of line 7",
                "serve", "--config", config.toString(), "--record", disk);
        assertEquals(4096, Files.size(Path.of(disk)));
    }

    @Test
    void shouldRefuseWhatDoesNotGoTogether() throws IOException {
        Path config = write(CONFIG.replace("00:08.0\"\n", "00:08.0\"\nprobe-size = 8\n"));
        assertRefused(config + ":5:14: probe-size: probeSize=8, but the properties of an endpoint need 24 bytes",
                "serve", "--config", config.toString());
        assertFalse(Files.exists(run));
    }

    @Test
    void shouldRefuseOneDiskUnderTwoNames() throws IOException {
        Files.createLink(folder.resolve("hard.img"), folder.resolve("disk.img"));
        Path config = write(CONFIG + "[[machine.disk]]\naddress = \"00:0b.0\"\nfile = \"hard.img\"\n");
        assertRefused("machine guest: " + folder + "/hard.img: another disk of this process holds it for writing; end "
                + "that first, or set lock=off if both are meant to use the file",
                "serve", "--config", config.toString());
        assertFalse(Files.exists(run));
    }

    @Test
    void shouldRefuseADiskWithPartOfABlock() throws IOException {
        Path config = write(CONFIG + "block-size = 8192\n");
        assertRefused("machine guest: blockSize=8192, but " + folder + "/disk.img has 4096 bytes, which is no multiple "
                + "of it; make it 8192 bytes long (truncate -s) or choose smaller blocks",
                "serve", "--config", config.toString());
    }

    @Test
    void shouldRecordOneMachineAlone() throws IOException {
        Path config = write(CONFIG + CONFIG.replace("\"run\"", "\"elsewhere\"\nname = \"other\"")
                .replace("\"disk.img\"", "\"disk.img\"\nread-only = true"));
        assertRefused("option --record: expected one machine, found 2",
                "serve", "--config", config.toString(), "--record", folder + "/some.trace");
        assertFalse(Files.exists(run));
    }

    @Test
    void shouldSayThatTheFormerFormatIsReadForOneVersionMore() throws IOException {
        Files.createDirectories(run.resolve("viot"));
        Path config = write("""
                [machine]
                folder = run
                [iommu]
                address = 00:08.0
                [rng]
                address = 00:09.0
                """);
        CommandRun served = CommandRun.of("serve", "--config", config.toString());
        List<String> said = served.err().lines().toList();
        assertEquals("virtio4j: " + config + ": the next version does not read this format; ./virtio4j config-to-toml "
                + config + " prints it as TOML", said.getFirst());
        assertEquals(2, said.size(), said.toString());
        assertEquals(2, served.status());
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("vm.toml"), text);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(run)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void assertRefused(String message, String... args) {
        CommandRun refused = CommandRun.of(args);
        assertEquals("virtio4j: " + message + "\n", refused.err());
        assertEquals(2, refused.status());
        assertEquals("", refused.out());
    }
}
