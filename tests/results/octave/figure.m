% Nothing is drawn: a test has no display.
function figure()
end
