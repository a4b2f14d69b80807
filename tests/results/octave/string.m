% Octave has no strings but character arrays.
function text = string(text)
end
