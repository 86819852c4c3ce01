// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A piece of code as a document prints it, or as a source has it.
 *
 * @param imports what it begins with: the names, those of static ones with the word before them
 * @param body    the rest
 */
record Printed(List<String> imports, String body) {

    private static final String IMPORT = "import ";
    private static final Pattern NOT_CODE =
            Pattern.compile("\"[^\"\n]*\"|//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);
    private static final Pattern TYPE = Pattern.compile("(?<![\\w.])[A-Z]\\w*[a-z]\\w*");
    private static final Pattern ASSERTION = Pattern.compile("(?<![\\w.])assert[A-Z]\\w*");
    private static final Pattern DECLARED = Pattern.compile("\\b(?:class|interface|record|enum) (\\w+)");

    static Printed of(String code) {
        List<String> imports = Arrays.stream(code.split("\n")).filter(line -> line.startsWith(IMPORT))
                .map(line -> line.substring(IMPORT.length(), line.indexOf(';'))).toList();
        String body = Arrays.stream(code.split("\n")).filter(line -> !line.startsWith(IMPORT))
                .collect(Collectors.joining("\n"));
        return new Printed(imports, body.strip());
    }

    /** Those with something on them. */
    long lines() {
        return body.lines().filter(line -> !line.isBlank()).count();
    }

    /** Those with code on them: neither blank nor comment. */
    long codeLines() {
        return code().lines().filter(line -> !line.isBlank()).count();
    }

    boolean isClass() {
        return DECLARED.matcher(code()).find();
    }

    /** The simple names of types that must come from somewhere else, and the assertions that do. */
    Set<String> needed() {
        Set<String> names = new TreeSet<>(found(TYPE));
        names.addAll(found(ASSERTION));
        names.removeAll(found(DECLARED));
        names.removeIf(name -> exists("java.lang." + name) || exists(Printed.class.getPackageName() + "." + name));
        return names;
    }

    Set<String> importedNames() {
        return imports.stream().map(name -> name.substring(name.lastIndexOf('.') + 1)).collect(Collectors.toSet());
    }

    static boolean exists(String className) {
        try {
            return Class.forName(className, false, Printed.class.getClassLoader()) != null;
        } catch (ClassNotFoundException absent) {
            return false;
        }
    }

    private Set<String> found(Pattern pattern) {
        Set<String> all = new TreeSet<>();
        Matcher matcher = pattern.matcher(code());
        while (matcher.find()) {
            all.add(matcher.group(matcher.groupCount()));
        }
        return all;
    }

    private String code() {
        return NOT_CODE.matcher(body).replaceAll(" ");
    }
}
