-- mtlscope for Wireshark: Tools > mtlscope. Installed by `mtlscope wireshark install`, removed by `mtlscope wireshark uninstall`.
--
-- Lua in Wireshark is not told the name of the open file. So the packets of the open capture, saved or not, are written into a
-- temporary file, the command line analyses that, and the frame numbers are those of the open capture.
-- In tshark it does nothing, unless told to: tshark -q -r FILE -X lua_script:mtlscope.lua -X lua_script1:print

local COMMAND = { "mtlscope" } -- installed: the full path
local OPTIONS = { "-T", "json", "--fail-on", "never", "--no-progress", "-q" }
local WINDOWS = package.config:sub(1, 1) == "\\"
local MENU = "mtlscope/"
local MOST_SHOWN, MOST_BUTTONS = 200, 8 -- connections in the window, and frames to jump to below it

-- ---- JSON: what our own command line writes, which is ASCII -----------------------------------------------------------

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function utf8_of(code)
    if code < 0x80 then return string.char(code) end
    local tail = string.char(0x80 + code % 0x40)
    code = math.floor(code / 0x40)
    if code < 0x20 then return string.char(0xC0 + code) .. tail end
    tail = string.char(0x80 + code % 0x40) .. tail
    code = math.floor(code / 0x40)
    if code < 0x10 then return string.char(0xE0 + code) .. tail end
    return string.char(0xF0 + math.floor(code / 0x40)) .. string.char(0x80 + code % 0x40) .. tail
end

local function unescaped(raw)
    raw = raw:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
        return utf8_of(0x10000 + (tonumber(high, 16) - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00)
    end)
    return (raw:gsub("\\(.)(%x?%x?%x?%x?)", function(sign, digits)
        if sign == "u" then return utf8_of(tonumber(digits, 16)) end
        return (ESCAPES[sign] or sign) .. digits
    end))
end

local function decode(text)
    local at = 1
    local value

    local function fail(why) error("JSON: " .. why .. " at byte " .. at, 0) end
    local function sign()
        at = text:find("[^ \t\r\n]", at) or fail("the end")
        return text:sub(at, at)
    end
    local function word()
        local start = at + 1
        repeat
            at = text:find('["\\]', at + 1) or fail("a text without end")
            local escape = text:byte(at) == 92
            if escape then at = at + 1 end
        until not escape
        at = at + 1
        return unescaped(text:sub(start, at - 2))
    end
    local function members(closing, take)
        at = at + 1
        if sign() == closing then
            at = at + 1
            return
        end
        while true do
            take()
            local next_sign = sign()
            at = at + 1
            if next_sign == closing then return end
            if next_sign ~= "," then fail("a comma is missing") end
        end
    end

    function value()
        local first = sign()
        if first == '"' then return word() end
        if first == "{" then
            local object = {}
            members("}", function()
                if sign() ~= '"' then fail("a key is missing") end
                local key = word()
                if sign() ~= ":" then fail("a colon is missing") end
                at = at + 1
                object[key] = value()
            end)
            return object
        end
        if first == "[" then
            local list = {}
            local count = 0
            members("]", function()
                count = count + 1
                list[count] = value()
            end)
            return list
        end
        local plain = text:match("^[%w%.%+%-]+", at) or fail("no value")
        at = at + #plain
        if plain == "true" then return true end
        if plain == "false" then return false end
        if plain == "null" then return nil end
        return tonumber(plain) or fail("no number")
    end
    return value()
end

-- ---- running the command line -----------------------------------------------------------------------------------------

local function quoted(word)
    if WINDOWS then return '"' .. word .. '"' end -- a Windows path holds no quote
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function analysed(path)
    local words = {}
    for _, part in ipairs({ COMMAND, OPTIONS, { path } }) do
        for _, word in ipairs(part) do words[#words + 1] = quoted(word) end
    end
    local line = table.concat(words, " ")
    if WINDOWS then line = '"' .. line .. '"' end -- cmd.exe takes the outer pair away
    local pipe, problem = io.popen(line .. " 2>&1", "r")
    if not pipe then error(problem, 0) end
    local said = pipe:read("*a")
    pipe:close()
    local start = said:find('{"schema"', 1, true)
    if not start then error("the command line said: " .. said .. "\n(" .. line .. ")", 0) end
    return decode(said:sub(start))
end

local function temporary()
    if not WINDOWS then return os.tmpname() end
    local name = string.format("mtlscope-%d-%d.pcap", os.time(), math.random(0, 2 ^ 30))
    return (os.getenv("TEMP") or ".") .. "\\" .. name
end

-- ---- what to say ------------------------------------------------------------------------------------------------------

-- Names come from the wire: control characters and those that turn the direction of writing do not reach a terminal.
local function safe(line)
    return (line:gsub("%c", "?"):gsub("\194[\128-\159]", "?"):gsub("\226\128[\142-\143\168-\174]", "?")
        :gsub("\226\129[\166-\169]", "?"))
end

local function culprit(connection)
    for _, finding in ipairs(connection.findings) do
        if #finding.frames > 0 then return finding.frames[#finding.frames] end
    end
    return connection.closed and connection.closed.frame
end

local function is_troubled(connection)
    if connection.outcome == "failed" then return true end
    for _, finding in ipairs(connection.findings) do
        if finding.severity ~= "note" then return true end
    end
    return false
end

local function finding_lines(finding, add)
    if finding.explained_by then
        add("  explained by " .. finding.explained_by .. ": " .. finding.rule)
        return
    end
    local where = #finding.frames > 0 and ("  frames " .. table.concat(finding.frames, ", ")) or ""
    add("  " .. finding.severity .. "  " .. finding.rule .. "  (" .. finding.confidence .. " confidence)" .. where)
    add("    " .. finding.summary)
    if finding.advice and finding.advice ~= "" then add("    -> " .. finding.advice) end
end

local function report(document)
    local lines, jumps = {}, {}
    local function add(line) lines[#lines + 1] = safe(line) end
    local troubled, all = {}, document.connections
    for _, connection in ipairs(all) do
        if is_troubled(connection) then troubled[#troubled + 1] = connection end
    end
    add(string.format("%s: connections reported: %d, in trouble: %d", document.tool, #all, #troubled))
    for number, connection in ipairs(troubled) do
        if number > MOST_SHOWN then
            add("")
            add((#troubled - MOST_SHOWN) .. " more: use the command line")
            break
        end
        local frame = culprit(connection)
        local name = connection.server_name and ("  " .. connection.server_name) or ""
        add("")
        add(string.format("stream %d  %s:%d -> %s:%d%s  %s", connection.stream, connection.client_ip, connection.client_port,
            connection.server_ip, connection.server_port, name, connection.outcome))
        if connection.diagnosis then add("  " .. connection.diagnosis) end
        for _, finding in ipairs(connection.findings) do finding_lines(finding, add) end
        if frame then
            add("  culprit: frame " .. frame)
            jumps[#jumps + 1] = { frame = frame, stream = connection.stream }
        end
    end
    for _, capture in ipairs(document.captures) do
        if #capture.findings > 0 then
            add("")
            add("across connections")
            for _, finding in ipairs(capture.findings) do finding_lines(finding, add) end
        end
        if capture.error then add(capture.error) end
    end
    return table.concat(lines, "\n") .. "\n", jumps
end

-- ---- taking the packets of the open capture ----------------------------------------------------------------------------

local function new_copy()
    local copy = { path = temporary() }
    local tap = Listener.new("frame")
    local kind = wtap_name_to_file_type_subtype("nsecpcap")

    function tap.packet(pinfo, tvb)
        if copy.problem then return end
        local good, problem = pcall(function()
            copy.dumper = copy.dumper or Dumper.new_for_current(copy.path, kind)
            copy.dumper:dump_current()
        end)
        if not good then
            copy.problem = "frame " .. pinfo.number .. " cannot be copied (" .. tostring(problem)
                .. "); save the capture and use the command line"
        end
    end

    function copy.finish()
        if copy.dumper then copy.dumper:close() end
        if not copy.problem and not copy.dumper then copy.problem = "there are no packets" end
        local good, result = false, copy.problem
        if not copy.problem then good, result = pcall(analysed, copy.path) end
        os.remove(copy.path)
        if not good then return "mtlscope: " .. tostring(result) .. "\n", {} end
        return report(result)
    end

    copy.tap = tap
    return copy
end

-- ---- the window -------------------------------------------------------------------------------------------------------

-- There is no function for jumping. A filter that leaves one frame selects it, and it stays selected under the wider one.
local function jump(to)
    set_filter("frame.number == " .. to.frame)
    apply_filter()
    set_filter("tcp.stream == " .. to.stream)
    apply_filter()
end

local function show(text, jumps)
    local window = TextWindow.new("mtlscope")
    window:set(text)
    for number = 1, math.min(#jumps, MOST_BUTTONS) do
        local to = jumps[number]
        window:add_button("Frame " .. to.frame, function() jump(to) end)
    end
end

local function analyse()
    local copy = new_copy()
    retap_packets()
    copy.tap:remove() -- never inside a callback of the tap: that crashes
    local text, jumps = copy.finish()
    show(text, jumps)
    return jumps
end

local function analyse_and_jump()
    local jumps = analyse()
    if jumps[1] then jump(jumps[1]) end
end

if gui_enabled() then
    register_menu(MENU .. "Analyse this capture", analyse, MENU_TOOLS_UNSORTED)
    register_menu(MENU .. "Analyse and jump to the first culprit", analyse_and_jump, MENU_TOOLS_UNSORTED)
elseif ({ ... })[1] == "print" then
    local copy = new_copy()
    function copy.tap.draw()
        local text, jumps = copy.finish()
        io.write(text)
        for _, to in ipairs(jumps) do
            io.write("jump: frame.number == " .. to.frame .. ", then tcp.stream == " .. to.stream .. "\n")
        end
    end
end
